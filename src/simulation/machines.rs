//! Machines and the network between them.

use super::fleet::NAMES;
use super::schedule::Id;
use super::state::Simulation;

impl Simulation {
    /// A machine is without power.
    pub fn lose(&self, id: Id) {
        self.fleet.lose_power(NAMES[id]);
        let mut pacemaker = self.pacemaker.borrow_mut();
        let node = &mut pacemaker.nodes[id];
        // One that has left cleanly is no loss.
        node.unclean |= node.member;
        (node.power, node.member) = (false, false);
    }

    /// Without anybody who remembers them there is nobody to be fenced.
    pub fn lose_all(&self) {
        for id in 0..self.setting.nodes {
            self.lose(id);
            self.pacemaker.borrow_mut().nodes[id].forget();
        }
        self.apart.set([false; 3]);
        // Where one node alone may act it would not know what only another one has on its disk;
        // Pacemaker waits for all nodes there (`wait_for_all`). And where only the winner was told
        // of its election nobody else could know.
        if self.setting.quorum > 1 && self.truth.borrow().have_others_voted() {
            self.fleet.cluster().kept().lose_last_write();
        }
    }

    pub fn part(&self, id: Id) {
        let mut pacemaker = self.pacemaker.borrow_mut();
        (pacemaker.nodes[id].member, pacemaker.nodes[id].unclean) = (false, true);
        self.fleet.cluster().kept().leave(NAMES[id]);
        self.set_apart(id, true);
    }

    pub fn set_cut(&self, id: Id, is_cut: bool) {
        let mut cut = self.cut.get();
        cut[id] = is_cut;
        self.cut.set(cut);
    }

    /// Whether a node is cut off from the cluster.
    pub fn set_apart(&self, id: Id, is_apart: bool) {
        let mut apart = self.apart.get();
        apart[id] = is_apart;
        self.apart.set(apart);
    }
}

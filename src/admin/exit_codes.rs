//! What the exit codes of the commands mean, for `--help` and for the man page.

/// Of status.
pub const STATUS: &str = "\
Exit code: 0 nothing is wrong, 1 service is up and something needs attention, 2 critical, 3 unknown on this node.

score: the promotion score. Pacemaker tries the node with the highest first, and the election may give way to another \
that holds more; -INFINITY: no candidate.";

/// Of explain.
pub const EXPLAIN: &str = "\
Exit code: 0 a node is promoted and nothing is lost, or the primary stays, 1 a node is promoted and something may be \
lost, or it is late, 2 nobody is promoted, 3 unknown on this node. With --if-stopped: 0 it can be stopped, \
1 it should not be, 3 unknown on this node.";

/// Of history.
pub const HISTORY: &str = "\
Exit code: 0 shown, 3 there is nothing to look at.";

/// Of check.
pub const CHECK: &str = "\
Exit code: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, as monitoring plugins have it.";

/// Of metrics.
pub const METRICS: &str = "\
Exit code: 0 printed or written, whatever they say, 3 the cluster could not be looked at.";

/// Of alert.
pub const ALERT: &str = "\
Exit code: 0 passed on, or nothing that concerns PostgreSQL, 1 it says why not.";

/// Of role.
pub const ROLE: &str = "\
Exit code: 0 the primary, 1 a standby, 3 unknown.";

/// Of switchover.
pub const SWITCHOVER: &str = "\
Exit code: 0 done, with --dry-run: it could be done, 1 the role is where it was, or elsewhere, 2 refused before \
anything was touched, 3 cannot tell, or the constraint is left.";

/// Of rebuild.
pub const REBUILD: &str = "\
Exit code: 0 done, with --dry-run: it could be done, 1 begun and not done: the old data are as they were, and it can be \
called again, 2 refused before anything was touched, 3 cannot tell, or something failed, and it says what.";

/// Of lost.
pub const LOST: &str = "\
Exit code: 0 shown or saved, also where there is nothing, 3 it cannot be looked at, or not be saved.";

/// Of force-promotion.
pub const FORCE_PROMOTION: &str = "\
Exit code: 0 forced, any other: nothing was changed, and it says why.";

/// Of forget.
pub const FORGET: &str = "\
Exit code: 0 done, or there was nothing to forget, with --dry-run: it could be done, 1 not done, or not all of it: run \
it again, 2 refused before anything was touched, 3 cannot tell, and nothing was touched.";

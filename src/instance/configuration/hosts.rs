//! Where `primary_conninfo` leads, if it leads to more than one server.

use super::conninfo::Conninfo;

/// Values of `target_session_attrs` with which no primary will do.
const STANDBYS_ONLY: [&str; 2] = ["read-only", "standby"];

/// What one may not expect of it on `node`. That it cannot be read is said elsewhere.
pub(super) fn doubtful(text: &str, node: Option<&str>) -> Vec<String> {
    let Ok(conninfo) = Conninfo::parse(text) else {
        return Vec::new();
    };
    let found = [
        wants_a_standby(&conninfo),
        takes_any(&conninfo),
        names_itself(node, &conninfo),
    ];
    found.into_iter().flatten().collect()
}

/// Whether it can lead to this node itself, as long as that is a standby.
pub(super) fn may_lead_to_itself(text: &str) -> bool {
    !Conninfo::parse(text).is_ok_and(|conninfo| conninfo.wants_a_primary())
}

fn wants_a_standby(conninfo: &Conninfo) -> Option<String> {
    let wanted = conninfo.get("target_session_attrs")?;
    STANDBYS_ONLY.contains(&wanted).then(|| {
        format!(
            "primary_conninfo has target_session_attrs={wanted}: this node never streams from the \
             primary, and is no candidate for promotion"
        )
    })
}

fn takes_any(conninfo: &Conninfo) -> Option<String> {
    let wanted = conninfo.get("target_session_attrs").unwrap_or("any");
    let takes_any = !conninfo.wants_a_primary() && !STANDBYS_ONLY.contains(&wanted);
    (conninfo.hosts().len() > 1 && takes_any).then(|| {
        "primary_conninfo names several hosts without target_session_attrs=read-write: this node \
         streams from whichever answers first, and while that is a standby it is no candidate for \
         promotion"
            .to_owned()
    })
}

/// libpq goes on to the next host where one does not answer or has the wrong role, but not where
/// one refuses the login (`PQconnectPoll` in `fe-connect.c`).
fn names_itself(node: Option<&str>, conninfo: &Conninfo) -> Option<String> {
    let (node, hosts) = (node?, conninfo.hosts());
    (hosts.len() > 1 && hosts.contains(&node)).then(|| {
        format!(
            "primary_conninfo of {node} names {node} among its hosts: pg_hba.conf should reject \
             that, and then none of the hosts after it is tried: name the other nodes only"
        )
    })
}

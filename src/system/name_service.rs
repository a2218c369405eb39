//! Accounts by the name service, which may be a directory on the network and hang.
//!
//! It is asked in a thread and given up after a few seconds. What it said when the server was
//! started last is kept in a file of root's, for the time when it says nothing.

use std::ffi::CString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::unistd::{Gid, Uid, User, getgrouplist};

/// How long it may take. A local account is found at once.
const PATIENCE: Duration = Duration::from_secs(3);
const FOLDER: &str = "/var/lib/pgsqlms";
const LOCAL_GROUPS: &str = "/etc/group";

/// What is known of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its uid.
    pub uid: Uid,
    /// Its primary group.
    pub gid: Gid,
    /// Its home directory.
    pub home: PathBuf,
}

/// The account of that name; `None` if there is none.
pub fn account(name: &str) -> nix::Result<Option<Account>> {
    let owned = name.to_owned();
    let answer = ask(PATIENCE, move || User::from_name(&owned)).and_then(|answer| answer);
    let found = answer.map(|user| {
        user.map(|user| Account {
            uid: user.uid,
            gid: user.gid,
            home: user.dir,
        })
    });
    match (&found, kept(Path::new(FOLDER), name)) {
        (Ok(Some(_)), _) | (_, None) => found,
        (_, Some((account, _))) => {
            log::warn!(
                "The name service does not tell who {name} is: taking what it said at the last start"
            );
            Ok(Some(account))
        }
    }
}

/// The name of an account, if it is told.
pub fn name_of(uid: Uid) -> Option<String> {
    let answer = ask(PATIENCE, move || User::from_uid(uid));
    answer.ok()?.ok()?.map(|user| user.name)
}

/// All groups of the account: as the name service says, or as it said at the last start, or
/// as the local file of groups says.
pub fn groups(name: &str, account: &Account) -> Vec<Gid> {
    let gid = account.gid;
    let asked = CString::new(name).map_err(|_| Errno::EINVAL);
    let asked = asked.and_then(|name| ask(PATIENCE, move || getgrouplist(&name, gid))?);
    match asked {
        Ok(groups) => {
            keep(Path::new(FOLDER), name, account, &groups);
            groups
        }
        Err(error) => {
            log::warn!(
                "The name service does not tell the groups of {name} ({error}): taking those of \
                 the last start or of {LOCAL_GROUPS}"
            );
            let last = kept(Path::new(FOLDER), name).filter(|(kept, _)| kept == account);
            last.map_or_else(|| local_groups(name, gid), |(_, groups)| groups)
        }
    }
}

/// Asks in a thread, which is left behind if it does not answer. It waits for a socket or a
/// lock, so it keeps no process from ending.
fn ask<T: Send + 'static>(
    patience: Duration,
    question: impl FnOnce() -> T + Send + 'static,
) -> nix::Result<T> {
    let (sender, receiver) = mpsc::channel();
    let asked = thread::Builder::new().spawn(move || {
        let _ = sender.send(question());
    });
    asked.map_err(|_| Errno::EAGAIN)?;
    let answer = receiver.recv_timeout(patience);
    answer.map_err(|_| Errno::ETIMEDOUT)
}

fn local_groups(name: &str, gid: Gid) -> Vec<Gid> {
    let text = fs::read_to_string(LOCAL_GROUPS).unwrap_or_default();
    let mut groups = vec![gid];
    groups.extend(text.lines().filter_map(|line| group_of(line, name)));
    groups
}

/// `name:password:gid:member,member`
fn group_of(line: &str, member: &str) -> Option<Gid> {
    let mut fields = line.split(':').skip(2);
    let gid = fields.next()?.parse().ok()?;
    let mut members = fields.next()?.split(',');
    members
        .any(|name| name.trim() == member)
        .then(|| Gid::from_raw(gid))
}

/// Keeps it, if it is new. That it cannot be kept costs nothing today.
fn keep(folder: &Path, name: &str, account: &Account, groups: &[Gid]) {
    let text = encode(account, groups);
    let Some(path) = file_of(folder, name) else {
        return;
    };
    if fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
        return;
    }
    let written = fs::create_dir_all(folder).and_then(|()| write(&path, &text));
    if let Err(error) = written {
        log::debug!("{}: {error}", path.display());
    }
}

/// It appears whole or not at all.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    fs::write(&draft, text).and_then(|()| fs::rename(&draft, path))
}

fn kept(folder: &Path, name: &str) -> Option<(Account, Vec<Gid>)> {
    decode(&fs::read_to_string(file_of(folder, name)?).ok()?)
}

fn file_of(folder: &Path, name: &str) -> Option<PathBuf> {
    (!name.contains('/')).then(|| folder.join(format!("{name}.account")))
}

/// uid, gid, home and groups, a line each.
fn encode(account: &Account, groups: &[Gid]) -> String {
    let Account { uid, gid, home } = account;
    let groups: Vec<_> = groups.iter().map(Gid::to_string).collect();
    format!("{uid}\n{gid}\n{}\n{}\n", home.display(), groups.join(" "))
}

fn decode(text: &str) -> Option<(Account, Vec<Gid>)> {
    let mut lines = text.lines();
    let mut number = || lines.next()?.parse::<u32>().ok();
    let (uid, gid) = (number()?, number()?);
    let account = Account {
        uid: Uid::from_raw(uid),
        gid: Gid::from_raw(gid),
        home: PathBuf::from(lines.next()?),
    };
    let groups = lines.next()?.split_whitespace();
    let groups: Result<_, _> = groups.map(|word| word.parse().map(Gid::from_raw)).collect();
    Some((account, groups.ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn postgres() -> (Account, Vec<Gid>) {
        let account = Account {
            uid: Uid::from_raw(101),
            gid: Gid::from_raw(104),
            home: PathBuf::from("/var/lib/postgresql"),
        };
        (account, [104, 103].map(Gid::from_raw).to_vec())
    }

    #[test]
    fn a_question_without_an_answer_ends() {
        let never = || {
            let (_keep, receiver) = mpsc::channel::<()>();
            let _ = receiver.recv();
        };
        let patience = Duration::from_millis(20);
        assert_eq!(ask(patience, never), Err(Errno::ETIMEDOUT));
        assert_eq!(ask(PATIENCE, || 7), Ok(7));
    }

    #[test]
    fn what_was_said_last_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (account, groups) = postgres();
        assert_eq!(kept(folder.path(), "postgres"), None);
        keep(folder.path(), "postgres", &account, &groups);
        keep(folder.path(), "../evil", &account, &groups);
        assert_eq!(kept(folder.path(), "postgres"), Some((account, groups)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_group_is_the_member_s() {
        let group = |line| group_of(line, "postgres").map(Gid::as_raw);
        assert_eq!(group("ssl-cert:x:103:postgres"), Some(103));
        assert_eq!(group("many:x:7:a,postgres,b"), Some(7));
        assert_eq!(group("postgres:x:104:"), None);
        assert_eq!(group("other:x:8:postgres2"), None);
        assert_eq!(group("broken:x"), None);
    }

    proptest! {
        #[test]
        fn no_file_panics(text in "(?s)[0-9 \\n]*|.*", line in "[a-z:,0-9]*") {
            let _ = decode(&text);
            let _ = group_of(&line, "postgres");
        }
    }
}

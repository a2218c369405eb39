//! The System V shared memory of a server, by the kernel's list (`/proc/sysvipc/shm`),
//! which everybody may read.
//!
//! Every process of a server that touches data is attached to one segment as long as it
//! lives, however its program is called; the kernel counts them. PostgreSQL itself
//! starts no server while that count is above zero (`PGSharedMemoryIsInUse`).

/// How a segment is named: by the key it was made with, and by the kernel's number,
/// which after a reboot may be another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// The key; a signed number of 32 bits, here without its sign.
    pub key: u32,
    /// The kernel's number.
    pub id: i64,
}

/// A segment of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its names.
    pub segment: Segment,
    /// Who made it: the postmaster. 0 if it is of another pid namespace.
    pub maker: i32,
    /// How many processes are attached.
    pub attached: u64,
    /// Whose it is.
    pub uid: u32,
}

impl Segment {
    /// Reads line 7 of a lock file: `<key> <id>`, both printed as unsigned long.
    pub fn of_lock_file(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let key = low_half(words.next()?)?;
        let id = words.next()?.parse().ok()?;
        Some(Self { key, id })
    }
}

/// The lower 32 bits of a number, with or without a sign.
fn low_half(word: &str) -> Option<u32> {
    let number: i128 = word.parse().ok()?;
    u32::try_from(number & 0xFFFF_FFFF).ok()
}

/// Reads the list. Lines that are none, as the first one, are passed over.
pub fn parse(list: &str) -> Vec<Listed> {
    list.lines().filter_map(parse_line).collect()
}

/// `key shmid perms size cpid lpid nattch uid …` (`ipc/shm.c`, `sysvipc_shm_proc_show`)
fn parse_line(line: &str) -> Option<Listed> {
    let words: Vec<_> = line.split_whitespace().collect();
    let [key, id, _, _, maker, _, attached, uid, ..] = words[..] else {
        return None;
    };
    Some(Listed {
        segment: Segment {
            key: low_half(key)?,
            id: id.parse().ok()?,
        },
        maker: maker.parse().ok()?,
        attached: attached.parse().ok()?,
        uid: uid.parse().ok()?,
    })
}

/// The segment that a lock file names, unless its number is another's now.
pub fn named(list: &[Listed], segment: Segment, pid: i32) -> Option<&Listed> {
    list.iter()
        .find(|one| one.segment == segment && (one.maker == pid || one.maker == 0))
}

/// How many processes are attached to segments that a server of `uid` would have made
/// with these first keys. A server takes the next key where one is another's
/// (`PGSharedMemoryCreate`).
pub fn attached_from(list: &[Listed], first_keys: &[u32], uid: u32) -> u64 {
    let with_key = |key: u32| list.iter().find(|one| one.segment.key == key);
    let chain = |first: &u32| {
        let next = |one: &&Listed| with_key(one.segment.key.wrapping_add(1));
        std::iter::successors(with_key(*first), next).take(list.len())
    };
    let ours = first_keys.iter().flat_map(chain);
    ours.filter(|one| one.uid == uid)
        .map(|one| one.attached)
        .sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIST: &str = "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap
    524421          0   600                    56  4711  4800      6   101   104   101   104 1795000000 1795000000 1795000000                  4096                     0
    524422          3   600                    56  4900  4900      0   101   104   101   104 1795000000 1795000000 1795000000                  4096                     0
-294967296          7   600                    56     0     0      2   105   104   105   104 1795000000 1795000000 1795000000                  4096                     0
";

    #[test]
    fn a_segment_is_known_by_key_number_and_maker() {
        let list = parse(LIST);
        assert_eq!(list.len(), 3);
        let segment = Segment::of_lock_file("   524421         0").unwrap();
        assert_eq!(named(&list, segment, 4711).unwrap().attached, 6);
        assert_eq!(named(&list, segment, 4712), None);
        let other = Segment { id: 1, ..segment };
        assert_eq!(named(&list, other, 4711), None);
    }

    #[test]
    fn a_key_has_no_sign() {
        let list = parse(LIST);
        let segment = Segment::of_lock_file("18446744073414584320 7").unwrap();
        assert_eq!(named(&list, segment, 4711).unwrap().attached, 2);
    }

    #[test]
    fn a_server_may_have_taken_the_next_key() {
        let list = parse(LIST);
        assert_eq!(attached_from(&list, &[524_421], 101), 6);
        assert_eq!(attached_from(&list, &[524_422, 1], 101), 0);
        assert_eq!(attached_from(&list, &[4_000_000_000], 101), 0);
        assert_eq!(attached_from(&list, &[4_000_000_000], 105), 2);
    }

    proptest! {
        #[test]
        fn no_list_panics(list in "(?s)[-0-9 \n]*|.*", line in ".*") {
            let list = parse(&list);
            let _ = Segment::of_lock_file(&line);
            let _ = attached_from(&list, &[0, u32::MAX], 0);
        }
    }
}

//! Agents' answers and verdicts, by key, in one small database.
//!
//! Opened when first needed, so that a build with nothing to do does not touch it. The keys are digests that the engine
//! computes and the values are its bytes. Each value carries a check of its own, so that damage inside the file is a
//! missing entry. A file that is no database any more is set aside (`answers.redb.damaged`), told, and begun anew; one that
//! another process holds is waited for briefly, then done without.
//!
//! Tables carry the version of their layout in their names: `answers-1` (a task's key → an answer), `verdicts-1` (a
//! question's key → a verdict), `keys-2` (a task's key → the parts it is made of, and the key before it) and `decisions-1` (key and policy → the answer
//! that was chosen). A value is the first 16 bytes of BLAKE3(table's name, key, value), then the value.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use omnigen_ir::Digest;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition, TableError};

const ANSWERS: Table = TableDefinition::new("answers-1");
const VERDICTS: Table = TableDefinition::new("verdicts-1");
const JUDGED: Table = TableDefinition::new("judged-1");
const KEYS: Table = TableDefinition::new("keys-2");
const DECISIONS: Table = TableDefinition::new("decisions-1");
/// A key and its value.
pub type Entry = (Digest, Vec<u8>);
type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// How long another process is waited for.
const PATIENCE: Duration = Duration::from_millis(500);
/// Bytes of a value's check.
const CHECK: usize = 16;

/// The database, or the reason why there is none.
#[derive(Debug)]
pub struct Answers {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    database: Option<Database>,
    /// Why nothing is read or written any more.
    given_up: bool,
    trouble: Option<String>,
}

/// What went wrong in an operation.
enum Broken {
    /// Somebody else has the file.
    Held,
    /// The file is no whole database.
    Damaged(String),
    /// Anything else: no space, no permission.
    Other(String),
}

impl Answers {
    /// The database in this file; opens nothing.
    pub fn new(path: &Path) -> Answers {
        Answers { path: path.to_owned(), state: Mutex::default() }
    }

    /// The stored answer of a task.
    pub fn answer(&self, key: &Digest) -> Option<Vec<u8>> {
        self.get(ANSWERS, std::slice::from_ref(key)).pop().flatten()
    }

    /// The stored verdict on a question.
    pub fn verdict(&self, key: &Digest) -> Option<Vec<u8>> {
        self.get(VERDICTS, std::slice::from_ref(key)).pop().flatten()
    }

    /// Many answers at once, in the order of the keys.
    pub fn answers(&self, keys: &[Digest]) -> Vec<Option<Vec<u8>>> {
        self.get(ANSWERS, keys)
    }

    /// Many verdicts at once, in the order of the keys.
    pub fn verdicts(&self, keys: &[Digest]) -> Vec<Option<Vec<u8>>> {
        self.get(VERDICTS, keys)
    }

    /// All that the oracle has answered, by the digest of what it was asked.
    pub fn judged(&self) -> Vec<Entry> {
        // Reading makes no file.
        if !self.path.exists() {
            return Vec::new();
        }
        let found = self.run(|database| {
            let transaction = database.begin_read().map_err(of_transaction)?;
            let open = match transaction.open_table(JUDGED) {
                Ok(open) => open,
                Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
                Err(error) => return Err(of_table(error)),
            };
            let mut entries = Vec::new();
            for entry in open.iter().map_err(of_storage)? {
                let (key, value) = entry.map_err(of_storage)?;
                let Ok(key) = <[u8; 32]>::try_from(key.value()) else { continue };
                let key = Digest::from_bytes(key);
                entries.extend(checked(JUDGED, &key, value.value()).map(|value| (key, value)));
            }
            Ok(entries)
        });
        found.unwrap_or_default()
    }

    /// Keeps what the oracle answered, as [`put_answers`](Answers::put_answers) does.
    pub fn put_judged(&self, entries: &[(Digest, Vec<u8>)]) -> bool {
        self.put(&[(JUDGED, entries)])
    }

    /// Keeps answers, all or none, surviving a loss of power; false if they could not be kept ([`trouble`](Answers::trouble)).
    pub fn put_answers(&self, entries: &[(Digest, Vec<u8>)]) -> bool {
        self.put(&[(ANSWERS, entries)])
    }

    /// Keeps verdicts, as [`put_answers`](Answers::put_answers) does.
    pub fn put_verdicts(&self, entries: &[(Digest, Vec<u8>)]) -> bool {
        self.put(&[(VERDICTS, entries)])
    }

    /// The parts that a task's key was made of.
    pub fn key_parts(&self, key: &Digest) -> Option<Vec<u8>> {
        self.get(KEYS, std::slice::from_ref(key)).pop().flatten()
    }

    /// What was chosen, of all the answers to a key under a policy.
    pub fn decision(&self, key: &Digest) -> Option<Vec<u8>> {
        self.get(DECISIONS, std::slice::from_ref(key)).pop().flatten()
    }

    /// Keeps decisions, as [`put_answers`](Answers::put_answers) does.
    pub fn put_decisions(&self, entries: &[(Digest, Vec<u8>)]) -> bool {
        self.put(&[(DECISIONS, entries)])
    }

    /// Keeps answers and the parts of their keys, all or none.
    pub fn put_answered(&self, answers: &[(Digest, Vec<u8>)], parts: &[(Digest, Vec<u8>)]) -> bool {
        self.put(&[(ANSWERS, answers), (KEYS, parts)])
    }

    /// Forgets answers, such as those of a target that is to be asked anew.
    pub fn remove_answers(&self, keys: &[Digest]) -> bool {
        if !self.path.exists() {
            return true;
        }
        self.run(|database| {
            let transaction = database.begin_write().map_err(of_transaction)?;
            {
                let mut table = transaction.open_table(ANSWERS).map_err(of_table)?;
                for key in keys {
                    table.remove(key.as_bytes().as_slice()).map_err(of_storage)?;
                }
            }
            transaction.commit().map_err(of_commit)
        })
        .is_some()
    }

    /// In words, what kept answers from being read or written; the last such thing.
    pub fn trouble(&self) -> Option<String> {
        self.lock().trouble.clone()
    }

    /// Lets go of the file, so that another process can have it; the next use opens it again.
    pub fn release(&self) {
        let mut state = self.lock();
        close(state.database.take());
        state.given_up = false;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, table: Table, keys: &[Digest]) -> Vec<Option<Vec<u8>>> {
        let nothing = || vec![None; keys.len()];
        // Reading makes no file.
        if keys.is_empty() || !self.path.exists() {
            return nothing();
        }
        let found = self.run(|database| {
            let transaction = database.begin_read().map_err(of_transaction)?;
            let open = match transaction.open_table(table) {
                Ok(open) => open,
                Err(TableError::TableDoesNotExist(_)) => return Ok(nothing()),
                Err(error) => return Err(of_table(error)),
            };
            let mut values = Vec::with_capacity(keys.len());
            for key in keys {
                let value = open.get(key.as_bytes().as_slice()).map_err(of_storage)?;
                values.push(value.and_then(|value| checked(table, key, value.value())));
            }
            Ok(values)
        });
        found.unwrap_or_else(nothing)
    }

    fn put(&self, tables: &[(Table, &[Entry])]) -> bool {
        if tables.iter().all(|(_, entries)| entries.is_empty()) {
            return true;
        }
        self.run(|database| {
            let transaction = database.begin_write().map_err(of_transaction)?;
            for (table, entries) in tables {
                let mut open = transaction.open_table(*table).map_err(of_table)?;
                for (key, value) in *entries {
                    let stored = [&check(*table, key, value), value.as_slice()].concat();
                    open.insert(key.as_bytes().as_slice(), stored.as_slice()).map_err(of_storage)?;
                }
            }
            transaction.commit().map_err(of_commit)
        })
        .is_some()
    }

    /// Runs an operation on the open database. A damaged file is set aside, and the operation runs once more on a new one.
    fn run<T>(&self, work: impl Fn(&Database) -> Result<T, Broken>) -> Option<T> {
        let mut state = self.lock();
        for _ in 0..2 {
            if state.given_up {
                return None;
            }
            // The database checks itself by assertions in places: what they find is damage like any other.
            let result = catch_unwind(AssertUnwindSafe(|| {
                if state.database.is_none() {
                    state.database = Some(open(&self.path)?);
                }
                match &state.database {
                    Some(database) => work(database),
                    None => Err(Broken::Held),
                }
            }))
            .unwrap_or_else(|_| Err(Broken::Damaged("it contradicts itself".to_owned())));
            let broken = match result {
                Ok(value) => return Some(value),
                Err(broken) => broken,
            };
            let name = self.path.display();
            match broken {
                Broken::Held => {
                    state.trouble = Some(format!("{name} is in use by another omnigen: stored answers are not used"));
                    state.given_up = true;
                }
                Broken::Other(why) => {
                    state.trouble = Some(format!("{name}: {why}: stored answers are not used"));
                    state.given_up = true;
                }
                Broken::Damaged(why) => {
                    close(state.database.take());
                    let aside = self.path.with_extension("redb.damaged");
                    match std::fs::rename(&self.path, &aside) {
                        Ok(()) => {
                            state.trouble =
                                Some(format!("{name} was damaged ({why}): set aside as {}", aside.display()));
                        }
                        Err(error) => {
                            state.trouble = Some(format!("{name} is damaged ({why}) and cannot be moved: {error}"));
                            state.given_up = true;
                        }
                    }
                }
            }
            if let Some(trouble) = &state.trouble {
                tracing::warn!("{trouble}");
            }
        }
        state.given_up = true;
        None
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.release();
    }
}

/// Closing a damaged database may find the damage, by an assertion.
fn close(database: Option<Database>) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(database)));
}

fn open(path: &Path) -> Result<Database, Broken> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Broken::Other(error.to_string()))?;
    }
    let end = Instant::now() + PATIENCE;
    loop {
        // Checked whole, which takes milliseconds: without, the library trusts the file and panics over damage later.
        match Database::builder().set_cache_size(16 << 20).set_check_integrity_on_open(true).create(path) {
            Ok(database) => return Ok(database),
            Err(DatabaseError::DatabaseAlreadyOpen) if Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch) => return Err(Broken::Held),
            Err(DatabaseError::Storage(error)) => return Err(of_storage(error)),
            Err(error) => return Err(Broken::Damaged(error.to_string())),
        }
    }
}

fn of_storage(error: StorageError) -> Broken {
    use std::io::ErrorKind;
    match error {
        StorageError::Corrupted(why) => Broken::Damaged(why),
        // What the database says of a file that is none, or that ends too soon.
        StorageError::Io(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => {
            Broken::Damaged(error.to_string())
        }
        error => Broken::Other(error.to_string()),
    }
}

fn of_table(error: TableError) -> Broken {
    match error {
        TableError::Storage(error) => of_storage(error),
        error => Broken::Damaged(error.to_string()),
    }
}

fn of_transaction(error: redb::TransactionError) -> Broken {
    match error {
        redb::TransactionError::Storage(error) => of_storage(error),
        error => Broken::Other(error.to_string()),
    }
}

fn of_commit(error: redb::CommitError) -> Broken {
    match error {
        redb::CommitError::Storage(error) => of_storage(error),
        error => Broken::Other(error.to_string()),
    }
}

fn check(table: Table, key: &Digest, value: &[u8]) -> [u8; CHECK] {
    use redb::TableHandle;
    let mut hasher = blake3::Hasher::new();
    hasher.update(table.name().as_bytes()).update(key.as_bytes()).update(value);
    let mut half = [0; CHECK];
    half.copy_from_slice(&hasher.finalize().as_bytes()[..CHECK]);
    half
}

fn checked(table: Table, key: &Digest, stored: &[u8]) -> Option<Vec<u8>> {
    let (sum, value) = stored.split_at_checked(CHECK)?;
    (check(table, key, value) == sum).then(|| value.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Digest {
        Digest::of(&number.to_le_bytes())
    }

    fn entries(count: usize) -> Vec<(Digest, Vec<u8>)> {
        (0..count).map(|at| (key(at), format!("answer {at}").into_bytes())).collect()
    }

    #[test]
    fn answers_and_verdicts_are_kept_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/answers.redb");
        let store = Answers::new(&path);
        assert_eq!(store.answer(&key(1)), None);
        assert!(!path.exists(), "reading opens nothing that is not there");
        assert!(store.put_answers(&entries(3)));
        assert!(store.put_verdicts(&[(key(1), b"valid".to_vec())]));
        assert!(store.judged().is_empty() && store.put_judged(&entries(2)));
        assert_eq!(store.judged().len(), 2);
        store.release();
        let again = Answers::new(&path);
        assert_eq!(again.answer(&key(1)).unwrap(), b"answer 1");
        assert_eq!(again.verdict(&key(1)).unwrap(), b"valid");
        assert_eq!(again.verdict(&key(2)), None);
        assert_eq!(again.answers(&[key(9), key(2)]), [None, Some(b"answer 2".to_vec())]);
        assert!(again.put_answers(&[(key(1), b"".to_vec())]) && again.remove_answers(&[key(2), key(9)]));
        assert_eq!(again.answers(&[key(1), key(2)]), [Some(Vec::new()), None]);
        assert_eq!(again.trouble(), None);
    }

    #[test]
    fn a_file_in_use_is_done_without() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.redb");
        let first = Answers::new(&path);
        assert!(first.put_answers(&entries(2)));
        let second = Answers::new(&path);
        assert_eq!(second.answer(&key(1)), None);
        assert!(second.trouble().unwrap().contains("in use"));
        let began = Instant::now();
        assert!(!second.put_answers(&entries(1)));
        assert!(began.elapsed() < PATIENCE / 2, "waits only once");
        first.release();
        second.release();
        assert_eq!(second.answer(&key(1)).unwrap(), b"answer 1");
        assert!(first.trouble().is_none());
    }

    #[test]
    fn no_damage_gives_a_wrong_answer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.redb");
        let store = Answers::new(&path);
        let entries = entries(40);
        assert!(store.put_answers(&entries));
        drop(store);
        let whole = std::fs::read(&path).unwrap();
        let mut damaged: Vec<Vec<u8>> =
            vec![b"no database".to_vec(), whole[..whole.len() / 2].to_vec(), whole[..100].to_vec()];
        damaged.push(vec![0xAA; whole.len()]);
        // A flip in every place that is in use, one at a time.
        let used: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
        for at in used.iter().step_by(used.len() / 150 + 1) {
            let mut flipped = whole.clone();
            flipped[*at] ^= 0x10;
            damaged.push(flipped);
        }
        let mut lost = 0;
        for (number, bytes) in damaged.iter().enumerate() {
            std::fs::write(&path, bytes).unwrap();
            let store = Answers::new(&path);
            for (key, value) in &entries {
                match store.answer(key) {
                    Some(found) => assert_eq!(found, *value, "{number}"),
                    None => lost += 1,
                }
            }
            assert!(store.put_answers(&entries[..1]), "{number}: {:?}", store.trouble());
            assert_eq!(store.answer(&entries[0].0).as_ref(), Some(&entries[0].1), "{number}");
        }
        assert!(lost > 100, "{lost}");
        assert!(path.with_extension("redb.damaged").exists());
    }
}

use std::collections::HashSet;

use super::*;

fn some(folder: &Path) -> Records {
    let mut records = Records::none(folder.to_path_buf());
    for i in 0..300 {
        let file = FileId::from(format!("{i}.json"));
        records.entry(&file, true).digest = Digest::of(file.as_bytes());
        let made = Made { ready: true, digest: Digest::of(file.as_bytes()), trace: [].into(), diagnostics: Vec::new() };
        records.change(&file).expect("there").made.insert(Target::Check.name().into(), made);
    }
    records
}

#[test]
fn a_small_change_rewrites_one_shard() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut records = some(folder.path());
    records.save().expect("saves");
    let before = records.shards();
    assert_eq!(before.len(), 2);
    let load =
        |shards: &[(String, String)]| Records::load(shards.to_vec(), folder.path().to_path_buf(), 2).expect("loads");
    let mut again = load(&before);
    assert_eq!(again.get("7.json"), records.get("7.json"));
    assert_eq!(again.details("7.json"), records.details("7.json"));
    again.save().expect("saves");
    assert_eq!(again.shards(), before, "reading is no change");
    again.change("7.json").expect("there").made.clear();
    again.save().expect("saves");
    let after = again.shards();
    assert_eq!(before.iter().zip(&after).filter(|(a, b)| a != b).count(), 1);
    again.sweep();
    let mut last = load(&after);
    assert!(last.details("7.json").is_some_and(|details| details.made.is_empty()));
    assert!((0..300).filter(|i| *i != 7).all(|i| !last.details(&format!("{i}.json")).expect("there").made.is_empty()));
    // A record alone: the details stay where they are.
    last.get_mut("8.json").expect("there").noisy = true;
    last.save().expect("saves");
    let others = |a: &[(String, String)], b: &[(String, String)]| {
        let differ = |of: fn(&(String, String)) -> &String| a.iter().zip(b).filter(|(a, b)| of(a) != of(b)).count();
        (differ(|names| &names.0), differ(|names| &names.1))
    };
    assert_eq!(others(&after, &last.shards()), (1, 0));
    assert!(load(&last.shards()).get("8.json").expect("there").noisy);
    assert!(!last.damaged());
}

#[test]
fn a_few_shards_answer_for_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut all = Records::none(folder.path().to_path_buf());
    let name = |i: usize| FileId::from(format!("{i:03}.json"));
    for i in 0..1000 {
        let record = all.entry(&name(i), true);
        (record.ids, record.uses) = (i % 100 == 0, vec![name(i / 2)]);
        record.mentions = Mentions(vec![mention(&name(i / 2))]);
    }
    let counts = |record: &Record| (i64::from(record.ids), 1);
    let summaries = all.summaries(counts);
    all.save().expect("saves");
    let known: Vec<Summary> = summaries.into_iter().flatten().collect();
    let later = || {
        let (shards, folder) = (all.shards(), folder.path().to_path_buf());
        Records::later(shards, known.clone(), folder, 2)
    };
    let mut few = later();
    assert_eq!((few.len(), few.with_ids(), few.at_hand().count()), (1000, all.with_ids(), 0));
    let about: HashSet<u64> = HashSet::from([mention("007.json")]);
    assert_eq!(few.mentioning(&about), [name(7), name(14), name(15)]);
    assert!((1..500).contains(&few.at_hand().count()), "no other shards are read");
    // A stat is another: nothing has to be laid out, and the summaries are as they were.
    few.get_mut("014.json").expect("there").stat = Some(Stat { size: 1, mtime_ns: 2, ctime_ns: 3, inode: 4 });
    let edited = few.edited().expect("the same outputs");
    assert_eq!(edited.iter().map(|(file, _)| &***file).collect::<Vec<_>>(), ["014.json"]);
    assert!(few.closes());
    let fresh: Vec<usize> = few
        .summaries(counts)
        .iter()
        .enumerate()
        .filter(|(_, fresh)| fresh.is_some())
        .map(|(number, _)| number)
        .collect();
    assert_eq!(fresh, [few.shard("014.json")], "the others are as they were");
    assert!((0..known.len()).all(|number| few.known(number) == known.get(number)));
    few.get_mut("014.json").expect("there").uses.push("elsewhere.json".into());
    assert!(!few.closes());
    // Whoever goes through all finds all, those that were changed as they are now.
    assert_eq!(few.iter().filter(|(file, record)| all.get(file) == Some(record)).count(), 999);
    assert_eq!(
        few.iter().map(|(file, _)| file).collect::<Vec<_>>(),
        all.iter().map(|(file, _)| file).collect::<Vec<_>>()
    );
    few.remove("999.json");
    assert_eq!((few.edited(), few.len(), few.summary().count()), (None, 999, 0));
    few.save().expect("saves");
    let again = Records::load(few.shards(), folder.path().to_path_buf(), 2).expect("loads");
    assert!(again.iter().eq(few.iter()));
    // One that is not what it was makes everything doubtful.
    let mut few = later();
    omnigen_disk::write_atomic(&folder.path().join(&all.shards()[3].0), b"").expect("written");
    assert!(!few.damaged() && few.mentioning(&about).len() <= 3);
    assert!(few.iter().count() < 1000 && few.damaged());
}

#[test]
fn what_is_laid_aside_is_read_again_where_it_is_needed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut records = some(folder.path());
    assert!(!records.lay_aside(|| None), "nothing is saved yet");
    let counts = |record: &Record| (i64::from(record.ids), 1);
    let known: Vec<Summary> = records.summaries(counts).into_iter().flatten().collect();
    records.save().expect("saves");
    let before: Vec<(FileId, Record)> = records.iter().map(|(file, record)| (file.clone(), record.clone())).collect();
    assert!(records.lay_aside(|| Some(known.clone())));
    assert_eq!((records.at_hand().count(), records.len()), (0, before.len()));
    let file = before[0].0.clone();
    records.get_mut(&file).expect("there").noisy = true;
    assert!(!records.lay_aside(|| None), "it is another than in its shard");
    assert!(records.at_hand().count() > 0);
    let changed = records.iter().map(|(file, record)| (file.clone(), record.clone())).collect::<Vec<_>>();
    assert_ne!(changed, before);
    records.save().expect("saves");
    // After that the shard's summary has to come from elsewhere.
    assert!(!records.lay_aside(|| None) && records.lay_aside(|| Some(known)));
    assert!(records.iter().map(|(file, record)| (file.clone(), record.clone())).eq(changed));
    assert!(!records.damaged());
}

#[test]
fn a_damaged_shard_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut records = some(folder.path());
    records.save().expect("saves");
    let shards = records.shards();
    let damage = |name: &str| {
        let path = folder.path().join(name);
        let mut bytes = omnigen_disk::files::read_bytes(&path).expect("there").0;
        bytes[5] ^= 1;
        omnigen_disk::write_atomic(&path, &bytes).expect("written");
    };
    let load = || Records::load(shards.clone(), folder.path().to_path_buf(), 2);
    damage(&shards[0].1);
    let mut again = load().expect("loads");
    for i in 0..300 {
        again.details(&format!("{i}.json"));
    }
    assert!(again.damaged());
    damage(&shards[1].0);
    assert!(load().is_err());
}

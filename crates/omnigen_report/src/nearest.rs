//! What somebody probably meant to write.

/// The nearest of some names that is at most `most` edits away; the first of equally near ones.
pub fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>, most: usize) -> Option<&'a str> {
    let name: Vec<char> = name.chars().take(200).collect();
    // Of a name of which nothing would be left, any other one is as near.
    let most = most.min(name.len().div_ceil(2)).min(name.len().saturating_sub(1));
    let mut best: Option<(usize, &str)> = None;
    for candidate in names {
        // Nothing is nearer than another case.
        if candidate.chars().take(200).map(|c| c.to_ascii_lowercase()).eq(name.iter().map(char::to_ascii_lowercase)) {
            return Some(candidate);
        }
        let limit = best.map_or(most, |(distance, _)| distance.saturating_sub(1));
        if let Some(distance) = distance(&name, candidate, limit)
            && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Edits (insert, drop, replace, swap neighbours) between two names, if at most `most`.
fn distance(a: &[char], b: &str, most: usize) -> Option<usize> {
    let b: Vec<char> = b.chars().take(200).collect();
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replace = previous[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replace.min(previous[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut previous, row);
    }
    Some(previous[b.len()]).filter(|&distance| distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_like_none() {
        assert_eq!(nearest("c", ["a", "b"].into_iter(), 2), None);
        assert_eq!(nearest("gt", ["get", "put"].into_iter(), 2), Some("get"));
    }

    #[test]
    fn another_case_is_nearest() {
        let near = |name| nearest(name, ["ModelA", "ModelB"].into_iter(), 3);
        assert_eq!([near("Modelb"), near("Modl"), near("x")], [Some("ModelB"), Some("ModelA"), None]);
    }
}

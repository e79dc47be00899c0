//! A sorted map whose copies share what they have in common.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Index;
use std::sync::Arc;
use std::sync::atomic::{self, AtomicU64};

/// How many entries a chunk may have before it is cut in two.
const FULL: usize = 64;

/// A sorted map like `BTreeMap`. A copy costs nothing until it is changed, and then what is around the entry that is
/// changed: the schemas before and after each of a thousand migrations differ in a few tables.
pub struct Map<K, V> {
    /// Never an empty chunk.
    chunks: Arc<Vec<Chunk<K, V>>>,
    length: usize,
}

type Chunk<K, V> = Arc<Stamped<Vec<Entry<K, V>>>>;
type Entry<K, V> = Arc<Stamped<(K, V)>>;

/// Something with a number that it shares with what is surely equal, so with its own copies, and with nothing else.
#[derive(Clone)]
struct Stamped<T> {
    stamp: u64,
    of: T,
}

impl<T> Stamped<T> {
    fn new(of: T) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self { stamp: NEXT.fetch_add(1, atomic::Ordering::Relaxed), of }
    }
}

impl<T: Clone> Stamped<T> {
    /// What is behind the pointer, to change it: then it is another one than before.
    fn change(shared: &mut Arc<Self>) -> &mut T {
        let own = Arc::make_mut(shared);
        own.stamp = Stamped::new(()).stamp;
        &mut own.of
    }
}

/// Which entries a map had when it was last looked at, so that the next look only has to be at what has changed.
#[derive(Clone)]
pub struct Seen<K> {
    chunks: Vec<Stamped<SeenChunk<K>>>,
}

/// The keys of a chunk.
type SeenChunk<K> = Arc<Vec<Stamped<Arc<K>>>>;

impl<K> Default for Seen<K> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<K: Ord + Clone, V> Map<K, V> {
    /// The keys of all that has come, gone or changed since `seen`, which is brought up to now.
    pub fn changed_since(&self, seen: &mut Seen<K>) -> Vec<Arc<K>> {
        let same = |(chunk, seen): &(&Chunk<K, V>, &Stamped<_>)| chunk.stamp == seen.stamp;
        let first = self.chunks.iter().zip(&seen.chunks).take_while(same).count();
        let (rest, mut rest_seen) = (&self.chunks[first..], seen.chunks.split_off(first));
        let last = rest.iter().rev().zip(rest_seen.iter().rev()).take_while(same).count();
        let behind = rest_seen.split_off(rest_seen.len() - last);
        let mut changed = Vec::new();
        let mut old = rest_seen.iter().flat_map(|chunk| chunk.of.iter()).peekable();
        for chunk in &rest[..rest.len() - last] {
            let mut entries = Vec::with_capacity(chunk.of.len());
            for entry in &chunk.of {
                let key = loop {
                    let Some(before) = old.peek() else { break None };
                    if before.stamp == entry.stamp {
                        break old.next().map(|before| Arc::clone(&before.of));
                    }
                    match before.of.as_ref().cmp(&entry.of.0) {
                        Ordering::Less => changed.extend(old.next().map(|before| Arc::clone(&before.of))),
                        Ordering::Equal => {
                            changed.push(Arc::clone(&before.of));
                            break old.next().map(|before| Arc::clone(&before.of));
                        }
                        Ordering::Greater => break None,
                    }
                };
                let key = key.unwrap_or_else(|| {
                    let key = Arc::new(entry.of.0.clone());
                    changed.push(Arc::clone(&key));
                    key
                });
                entries.push(Stamped { stamp: entry.stamp, of: key });
            }
            seen.chunks.push(Stamped { stamp: chunk.stamp, of: Arc::new(entries) });
        }
        changed.extend(old.map(|before| Arc::clone(&before.of)));
        seen.chunks.extend(behind);
        changed
    }
}

impl<K, V> Map<K, V> {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self { chunks: Arc::default(), length: 0 }
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Its entries, sorted by key.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.entries().map(|entry| (&entry.0, &entry.1))
    }

    /// Its keys, sorted.
    #[must_use]
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.entries().map(|entry| &entry.0)
    }

    /// Its values, sorted by key.
    #[must_use]
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.entries().map(|entry| &entry.1)
    }

    fn entries(&self) -> impl DoubleEndedIterator<Item = &(K, V)> {
        self.chunks.iter().flat_map(|chunk| chunk.of.iter()).map(|entry| &entry.of)
    }
}

impl<K: Ord, V> Map<K, V> {
    /// The chunk and the place in it where the key is, or where it belongs.
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<(usize, usize), (usize, usize)>
    where
        K: Borrow<Q>,
    {
        let behind = self.chunks.partition_point(|chunk| chunk.of.first().is_some_and(|first| first.of.0.borrow() <= key));
        let Some(at) = behind.checked_sub(1) else { return Err((0, 0)) };
        match self.chunks[at].of.binary_search_by(|entry| entry.of.0.borrow().cmp(key)) {
            Ok(place) => Ok((at, place)),
            Err(place) => Err((at, place)),
        }
    }

    /// The value of a key.
    #[must_use]
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|(at, place)| &self.chunks[at].of[place].of.1)
    }

    /// The entry of a key.
    #[must_use]
    pub fn get_key_value<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        let (at, place) = self.find(key).ok()?;
        let (key, value) = &self.chunks[at].of[place].of;
        Some((key, value))
    }

    /// The entries from that key on, sorted.
    pub fn from<'m>(&'m self, first: &K) -> impl Iterator<Item = (&'m K, &'m V)> + use<'m, K, V> {
        let (at, place) = self.find(first).unwrap_or_else(|place| place);
        let entries = self.chunks.iter().skip(at).flat_map(|chunk| chunk.of.iter());
        entries.skip(place).map(|entry| (&entry.of.0, &entry.of.1))
    }

    /// Whether there is an entry for the key.
    #[must_use]
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }
}

impl<K: Ord + Clone, V: Clone> Map<K, V> {
    fn entry_mut(&mut self, at: usize, place: usize) -> &mut V {
        let chunk = Stamped::change(&mut Arc::make_mut(&mut self.chunks)[at]);
        &mut Stamped::change(&mut chunk[place]).1
    }

    /// The value of a key, to change it.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let (at, place) = self.find(key).ok()?;
        Some(self.entry_mut(at, place))
    }

    /// Puts a value there, and gives the one that was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok((at, place)) => Some(std::mem::replace(self.entry_mut(at, place), value)),
            Err((at, place)) => {
                self.insert_at(at, place, key, value);
                None
            }
        }
    }

    fn insert_at(&mut self, at: usize, place: usize, key: K, value: V) {
        self.length += 1;
        let chunks = Arc::make_mut(&mut self.chunks);
        if chunks.is_empty() {
            chunks.push(Arc::new(Stamped::new(Vec::new())));
        }
        let chunk = Stamped::change(&mut chunks[at]);
        chunk.insert(place, Arc::new(Stamped::new((key, value))));
        if chunk.len() > FULL {
            let rest = chunk.split_off(FULL / 2);
            chunks.insert(at + 1, Arc::new(Stamped::new(rest)));
        }
    }

    /// The value of a key, which is made if it isn't there.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        if let Err((at, place)) = self.find(&key) {
            self.insert_at(at, place, key.clone(), make());
        }
        // it may have come into the second half of a chunk that was cut
        let (at, place) = self.find(&key).unwrap_or_default();
        self.entry_mut(at, place)
    }

    /// Takes an entry out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (at, place) = self.find(key).ok()?;
        self.length -= 1;
        let chunks = Arc::make_mut(&mut self.chunks);
        let chunk = Stamped::change(&mut chunks[at]);
        let entry = chunk.remove(place);
        if chunk.is_empty() {
            chunks.remove(at);
        }
        Some(Arc::try_unwrap(entry).map_or_else(|shared| shared.of.1.clone(), |own| own.of.1))
    }

    /// Keeps the entries that `keep` wants.
    pub fn retain(&mut self, keep: impl Fn(&K, &V) -> bool) {
        let dropped: Vec<K> = self.iter().filter(|(key, value)| !keep(key, value)).map(|(key, _)| key.clone()).collect();
        for key in dropped {
            self.remove(&key);
        }
    }

    /// All values, to change them. Nothing is shared with any copy afterwards: where few change, find them first.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.iter_mut().map(|(_, value)| value)
    }

    /// The values that are `wanted`, to change them. All others are shared as before.
    pub fn some_mut(&mut self, wanted: impl Fn(&V) -> bool + Copy) -> impl Iterator<Item = &mut V> {
        let chunks = Arc::make_mut(&mut self.chunks).iter_mut().filter(move |chunk| chunk.of.iter().any(|entry| wanted(&entry.of.1)));
        let entries = chunks.flat_map(|chunk| Stamped::change(chunk).iter_mut());
        entries.filter(move |entry| wanted(&entry.of.1)).map(|entry| &mut Stamped::change(entry).1)
    }

    /// The same as `values_mut` with their keys.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        Arc::make_mut(&mut self.chunks).iter_mut().flat_map(|chunk| Stamped::change(chunk).iter_mut()).map(|entry| {
            let (key, value) = Stamped::change(entry);
            (&*key, value)
        })
    }
}

impl<K, V> Clone for Map<K, V> {
    fn clone(&self) -> Self {
        Self { chunks: Arc::clone(&self.chunks), length: self.length }
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for Map<K, V> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.chunks, &other.chunks) || self.length == other.length && self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq> Eq for Map<K, V> {}

impl<K: Ord + Clone, V: Clone> Extend<(K, V)> for Map<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Ord + Clone, V: Clone> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<K: Clone, V: Clone> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        let entries: Vec<(K, V)> = self.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        entries.into_iter()
    }
}

impl<'m, K, V> IntoIterator for &'m Map<K, V> {
    type Item = (&'m K, &'m V);
    type IntoIter = Box<dyn Iterator<Item = (&'m K, &'m V)> + 'm>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

impl<K: serde::Serialize, V: serde::Serialize> serde::Serialize for Map<K, V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, K: Ord + Clone + serde::Deserialize<'de>, V: Clone + serde::Deserialize<'de>> serde::Deserialize<'de> for Map<K, V> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(std::collections::BTreeMap::<K, V>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl<K: Ord + Borrow<Q>, V, Q: Ord + ?Sized> Index<&Q> for Map<K, V> {
    type Output = V;

    /// # Panics
    /// If the key isn't there, as that of `BTreeMap` does.
    #[expect(clippy::expect_used, reason = "that is what indexing means")]
    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("no entry for the key")
    }
}

#[cfg(test)]
mod tests {
    use super::{Map, Seen};
    use std::collections::BTreeMap;

    #[test]
    fn it_does_what_the_other_map_does() {
        let (mut map, mut other) = (Map::new(), BTreeMap::new());
        let mut number = 1_u32;
        for round in 0..5_000_u32 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = number >> 22;
            match round % 5 {
                0 => assert_eq!(map.remove(&key), other.remove(&key)),
                1 => assert_eq!(map.get_mut(&key).copied(), other.get_mut(&key).copied()),
                2 => assert_eq!(map.get_or_insert_with(key, || 7), other.entry(key).or_insert(7)),
                _ => assert_eq!(map.insert(key, u64::from(round)), other.insert(key, u64::from(round))),
            }
            assert_eq!(map.len(), other.len());
            assert_eq!(map.get(&(key / 2)), other.get(&(key / 2)));
        }
        assert!(map.iter().eq(other.iter()));
        assert!((0..1_100).all(|first| map.from(&first).eq(other.range(first..))));
        assert!(map.keys().rev().eq(other.keys().rev()));
        map.retain(|key, _| key % 3 == 0);
        other.retain(|key, _| key % 3 == 0);
        assert!(map.values().eq(other.values()));
        assert!(map.into_iter().eq(other));
    }

    #[test]
    fn a_look_shows_what_has_changed_since_the_last_one() {
        let mut map: Map<u32, u32> = Map::new();
        let (mut seen, mut known) = (Seen::default(), BTreeMap::new());
        let mut number = 7_u32;
        for round in 0..20_000_u32 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = number >> 23;
            match round % 7 {
                0 | 1 => drop(map.remove(&key)),
                2 => drop(map.get_mut(&key).map(|value| *value = round)),
                3 if round % 49 == 3 => map.some_mut(|value| value % 64 == 1).for_each(|value| *value += 64),
                4 if round % 700 == 4 => map.values_mut().for_each(|value| *value += 1),
                _ => drop(map.insert(key, round)),
            }
            if round % 11 < 4 {
                continue;
            }
            let copy = map.clone();
            for key in copy.changed_since(&mut seen) {
                match copy.get(&*key) {
                    Some(value) => known.insert(*key, *value),
                    None => known.remove(&*key),
                };
            }
            assert!(copy.iter().eq(known.iter()), "after {round}");
            assert!(copy.changed_since(&mut seen).is_empty());
        }
    }

    #[test]
    fn a_copy_stays_as_it_was() {
        let mut map: Map<u32, u32> = (0..1_000).map(|key| (key, key)).collect();
        let copy = map.clone();
        map.remove(&3);
        map.insert(2_000, 1);
        for value in map.values_mut() {
            *value += 1;
        }
        assert!(copy.iter().eq((0..1_000).map(|key| (key, key)).collect::<Vec<_>>().iter().map(|(key, value)| (key, value))));
        assert_ne!(map, copy);
        assert_eq!(map[&4], 5);
    }
}

//! What an engine keeps for each request that runs.

use crate::request::Token;

/// State by request, in a vector by slot: put, then taken by the request's token or by the tag that
/// the hardware answers with. Nothing is found by a token or a tag of an earlier use of the slot.
///
/// It grows with the slots that are used, up to the driver's capacity, so an engine need not know
/// that. Where nothing may be allocated later, create it by [`PerRequest::with_capacity`].
///
/// ```
/// # use ringback_driver::{engine::PerRequest, request::{LineNumber, Table}, Time};
/// # let table = Table::with_capacity(4).unwrap();
/// # let (_, request) = table.reserve(None, LineNumber(0), Time::ZERO, Time::NEVER).unwrap();
/// let mut waiting = PerRequest::new();
/// waiting.put(request, "what was asked");
/// // The hardware is given `request.tag()`, and answers with it.
/// assert_eq!(waiting.take_tag(request.tag()), Some((request, "what was asked")));
/// assert_eq!(waiting.take(request), None, "taken once");
/// ```
#[derive(Debug, Clone)]
pub struct PerRequest<T> {
    by_slot: Vec<Option<(Token, T)>>,
}

impl<T> PerRequest<T> {
    /// Makes an empty one, without allocating.
    pub const fn new() -> PerRequest<T> {
        PerRequest { by_slot: Vec::new() }
    }

    /// With room for all requests of a driver with this capacity.
    pub fn with_capacity(capacity: usize) -> PerRequest<T> {
        let mut by_slot = Vec::new();
        by_slot.resize_with(capacity, || None);
        PerRequest { by_slot }
    }

    /// Keeps a value for a request. A value that is already in its slot is replaced; it belongs to
    /// the same request, or to an earlier one that is over.
    pub fn put(&mut self, request: Token, value: T) {
        match self.by_slot.get_mut(request.slot().index()) {
            Some(place) => *place = Some((request, value)),
            None => self.grow(request, value),
        }
    }

    #[cold]
    fn grow(&mut self, request: Token, value: T) {
        self.by_slot.resize_with(request.slot().index(), || None);
        self.by_slot.push(Some((request, value)));
    }

    /// The value that is kept for this request.
    pub fn get(&self, request: Token) -> Option<&T> {
        let (owner, value) = self.by_slot.get(request.slot().index())?.as_ref()?;
        (*owner == request).then_some(value)
    }

    /// The request's value, to be changed.
    pub fn get_mut(&mut self, request: Token) -> Option<&mut T> {
        let (owner, value) = self.by_slot.get_mut(request.slot().index())?.as_mut()?;
        (*owner == request).then_some(value)
    }

    /// Takes the request's value.
    pub fn take(&mut self, request: Token) -> Option<T> {
        let place = self.by_slot.get_mut(request.slot().index())?;
        place.take_if(|(owner, _)| *owner == request).map(|(_, value)| value)
    }

    /// Takes the value of the request with this [tag](Token::tag), which may be any number that the
    /// hardware returns. The tag of a request that is over finds nothing, unless its slot was used
    /// 4096 times since.
    pub fn take_tag(&mut self, tag: u32) -> Option<(Token, T)> {
        let place = self.by_slot.get_mut(Token::slot_of_tag(tag).index())?;
        place.take_if(|(owner, _)| owner.tag() == tag)
    }

    /// Takes all of them, by slot: for an engine whose hardware is gone.
    pub fn drain(&mut self) -> impl Iterator<Item = (Token, T)> + '_ {
        self.by_slot.iter_mut().filter_map(Option::take)
    }

    /// How many there are; looks through all slots.
    pub fn len(&self) -> usize {
        self.by_slot.iter().flatten().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_slot.iter().all(Option::is_none)
    }
}

impl<T> Default for PerRequest<T> {
    fn default() -> PerRequest<T> {
        PerRequest::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::Time;
    use crate::request::{LineNumber, Table};

    fn reserve(table: &Table) -> Token {
        table.reserve(None, LineNumber(0), Time::ZERO, Time::NEVER).unwrap().1
    }

    fn end(table: &Table, request: Token) {
        table.release(request);
        table.complete(request, Ok(()), Time::ZERO);
        assert!(table.take(request).is_some());
    }

    #[test]
    fn what_is_put_is_taken_once_by_token_or_by_tag() {
        let table = Table::with_capacity(3).unwrap();
        let requests = [(); 3].map(|()| reserve(&table));
        let mut kept = PerRequest::with_capacity(1);
        for (request, value) in requests.into_iter().zip(["a", "b", "c"]) {
            kept.put(request, value);
        }
        assert_eq!((kept.len(), kept.get(requests[1])), (3, Some(&"b")));
        assert_eq!(kept.take_tag(requests[1].tag()), Some((requests[1], "b")));
        assert_eq!(kept.take(requests[1]), None);
        *kept.get_mut(requests[0]).unwrap() = "d";
        assert_eq!(kept.take(requests[0]), Some("d"));
        assert_eq!(kept.drain().collect::<Vec<_>>(), [(requests[2], "c")]);
        assert!(kept.is_empty() && kept.drain().next().is_none());
    }

    #[test]
    fn a_late_answer_finds_no_other_request() {
        let table = Table::with_capacity(1).unwrap();
        let old = reserve(&table);
        let mut kept = PerRequest::new();
        kept.put(old, 1);
        end(&table, old);
        let new = reserve(&table);
        assert_eq!(old.slot(), new.slot());
        assert_eq!(kept.get(new), None);
        assert_eq!((kept.take(new), kept.take_tag(new.tag())), (None, None));
        kept.put(new, 2);
        assert_eq!(kept.len(), 1, "a state that was not taken is replaced");
        assert_eq!((kept.take(old), kept.take_tag(old.tag())), (None, None));
        assert_eq!(kept.take(new), Some(2));
    }

    #[test]
    fn garbage_for_a_tag_finds_no_request() {
        let table = Table::with_capacity(2).unwrap();
        let request = reserve(&table);
        let mut kept = PerRequest::new();
        kept.put(request, ());
        for bit in 0..32 {
            assert_eq!(kept.take_tag(request.tag() ^ 1 << bit), None, "bit {bit}");
        }
        assert_eq!(kept.take_tag(u32::MAX), None);
        assert_eq!(kept.len(), 1);
    }
}

//! The books report the violations that they are made for.

use ringback_driver::Time;
use ringback_driver::request::RequestId;
use ringback_tspi::error::LineError;

use super::*;

const LINE: u32 = 2;
const AT: Time = Time::ZERO;
const ONE: RequestId = RequestId::FIRST;

fn call() -> HTAPICALL {
    HTAPICALL::new(9).expect("a handle is not 0")
}

/// Makes books with one request.
fn asked(id: RequestId, known: bool, then: impl FnOnce(&Books)) -> Books {
    let books = Books::default();
    let opening = books.opening(LINE);
    asking(opening, known, || {
        let function = "lineMakeCall";
        books.observe(&Traced::Submitted { id, function, device_id: LINE, call: call(), at: AT });
        then(&books);
    });
    books
}

fn told(books: &Books, id: RequestId, outcome: Result<(), LineError>) {
    let (completed, delivered, early) = (AT, AT, false);
    books.observe(&Traced::Completed { id, outcome, completed, delivered, early });
}

/// The only violation.
fn broken(books: &Books) -> String {
    let (broken, _) = books.broken();
    assert_eq!(broken.len(), 1, "{broken:?}");
    broken[0].clone()
}

#[test]
fn c3_what_is_delivered_twice_or_never_is_noticed() {
    let books = asked(ONE, true, |_| ());
    books.observe(&Traced::Returned { id: ONE, at: AT });
    told(&books, ONE, Ok(()));
    books.close();
    assert!(books.broken().0.is_empty());
    told(&books, ONE, Ok(()));
    assert!(broken(&books).starts_with("C3"));
    let books = asked(ONE, true, |_| ());
    books.close();
    assert!(broken(&books).starts_with("C3"));
    let books = asked(ONE, true, |_| ());
    books.observe(&Traced::Refused { id: ONE, error: LineError::NOMEM, at: AT });
    told(&books, ONE, Err(LineError::NOMEM));
    assert!(broken(&books).starts_with("C3, R4"));
}

#[test]
fn g1_an_early_delivery_is_noticed_unless_the_id_was_known() {
    assert!(broken(&asked(ONE, false, |books| told(books, ONE, Ok(())))).starts_with("G1"));
    assert!(asked(ONE, true, |books| told(books, ONE, Ok(()))).broken().0.is_empty());
}

#[test]
fn c6_upcalls_that_overlap_are_noticed() {
    let books = asked(ONE, true, |_| ());
    books.called(ONE, || told(&books, ONE, Ok(())));
    assert!(broken(&books).starts_with("C6"));
}

#[test]
fn d1_d5_d12_a_close_with_something_outstanding_is_noticed_and_so_is_what_follows() {
    let accepted = || {
        let books = asked(ONE, true, |_| ());
        books.observe(&Traced::Returned { id: ONE, at: AT });
        books
    };
    let books = accepted();
    books.line_closed(1, false);
    assert!(broken(&books).starts_with("D1"));
    let books = accepted();
    books.call_closed(call(), false);
    assert!(broken(&books).starts_with("D5"));
    let books = accepted();
    books.down(false);
    assert!(broken(&books).starts_with("D12"));
    let books = accepted();
    told(&books, ONE, Ok(()));
    books.call_closed(call(), false);
    assert!(books.broken().0.is_empty());
    told(&books, ONE, Ok(()));
    assert!(books.broken().0.iter().any(|text| text.starts_with("D5")));
}

#[test]
fn d1_a_callback_that_still_runs_is_noticed() {
    let books = asked(ONE, true, |_| ());
    books.observe(&Traced::Returned { id: ONE, at: AT });
    books.promise(ONE);
    books.given(ONE);
    told(&books, ONE, Ok(()));
    books.called(ONE, || books.line_closed(1, false));
    assert!(broken(&books).starts_with("D1"));
    books.close();
    assert_eq!(books.broken().0.len(), 1);
}

//! What a look of the reaper finds while it holds the card, and carries out afterwards.

use std::collections::VecDeque;

use crate::Time;

use super::deadlines::Deadline;
use super::mark::Mark;
use super::outbox::{BATCH, Delivery};
use super::samples::Order;

/// What a look has found, to be carried out after the card is unlocked.
#[derive(Debug)]
pub(crate) struct Found<Event, Output> {
    pub(crate) batch: VecDeque<Delivery<Event, Output>>,
    /// The number of the batch's round, and whether more is left for the next round.
    pub(crate) round: u64,
    pub(crate) more: bool,
    /// Marks that are reached when the batch is delivered.
    pub(crate) marks: Vec<Mark>,
    pub(crate) arm: Vec<Deadline>,
    pub(crate) disarm: Vec<Deadline>,
    /// The engine's orders to ports.
    pub(crate) orders: Vec<Order>,
    /// Latest time of the next look.
    pub(crate) until: Time,
    /// Time of this look.
    pub(crate) now: Time,
}

impl<Event, Output> Found<Event, Output> {
    pub(crate) fn new() -> Self {
        Found {
            batch: VecDeque::with_capacity(BATCH),
            round: 0,
            more: false,
            marks: Vec::new(),
            arm: Vec::new(),
            disarm: Vec::new(),
            orders: Vec::new(),
            until: Time::ZERO,
            now: Time::ZERO,
        }
    }
}

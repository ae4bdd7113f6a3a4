//! A unit of the hardware that does one thing at a time and can't be stopped.

use std::collections::VecDeque;

use crate::request::Token;

/// What runs, and what waits for it to end.
#[derive(Debug)]
pub(super) struct Unit<J> {
    running: Running<J>,
    waiting: VecDeque<(Token, J)>,
}

#[derive(Debug)]
enum Running<J> {
    Nothing,
    Job(Token, J),
    /// The hardware still works on a job whose request is over.
    Abandoned,
}

impl<J> Unit<J> {
    /// `busy` if the hardware still works on a job of a previous program.
    pub(super) fn new(busy: bool) -> Unit<J> {
        let running = if busy { Running::Abandoned } else { Running::Nothing };
        Unit { running, waiting: VecDeque::new() }
    }

    pub(super) fn push(&mut self, request: Token, job: J) {
        self.waiting.push_back((request, job));
    }

    /// Returns the job to start now, if there is one. It counts as running from then on.
    pub(super) fn next(&mut self) -> Option<&J> {
        if !matches!(self.running, Running::Nothing) {
            return None;
        }
        let (request, job) = self.waiting.pop_front()?;
        self.running = Running::Job(request, job);
        match &self.running {
            Running::Job(_, job) => Some(job),
            _ => None,
        }
    }

    /// Notes that the hardware is done. Returns the job and its request, unless it was abandoned.
    pub(super) fn done(&mut self) -> Option<(Token, J)> {
        match std::mem::replace(&mut self.running, Running::Nothing) {
            Running::Job(request, job) => Some((request, job)),
            Running::Nothing | Running::Abandoned => None,
        }
    }

    /// Removes a request that has ended for another reason. If it runs, the unit is abandoned.
    pub(super) fn forget(&mut self, request: Token) {
        if matches!(self.running, Running::Job(owner, _) if owner == request) {
            self.running = Running::Abandoned;
        }
        self.waiting.retain(|(waiting, _)| *waiting != request);
    }

    /// Removes and returns all requests, because the hardware is gone.
    pub(super) fn clear(&mut self) -> Vec<Token> {
        let running = self.done().map(|(request, _)| request);
        running.into_iter().chain(self.waiting.drain(..).map(|(request, _)| request)).collect()
    }
}

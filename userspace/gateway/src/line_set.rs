//! The lines that are served, and how they follow a configuration that was changed: calls go on as
//! they have begun, and what is new holds for the next one.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;
use tracing::warn;

use crate::cards::{Cards, LineSettings, OpenLine};
use crate::config::{LineConfig, UserSecret};
use crate::exit::Failure;
use crate::line_task::{LineChange, LineEntry, LineTask};
use crate::query::Query;
use crate::served_line::{ServedLine, Site};
use crate::standing_request::{Standing, StandingRequest};

/// A line that is served.
struct RunningLine {
    config: LineConfig,
    entry: LineEntry,
    /// What changes for its task. When it is dropped the task ends behind its call.
    changes: UnboundedSender<LineChange>,
    standing: StandingRequests,
}

/// What the PBX is asked for as long as a line is served.
#[derive(Default)]
struct StandingRequests {
    registration: Option<StandingRequest>,
    messages: Option<StandingRequest>,
}

impl StandingRequests {
    /// Both of them.
    fn into_all(self) -> impl Iterator<Item = StandingRequest> {
        self.registration.into_iter().chain(self.messages)
    }
}

/// All of them.
#[derive(Default)]
pub(crate) struct LineSet {
    tasks: JoinSet<()>,
    lines: BTreeMap<u32, RunningLine>,
}

impl LineSet {
    /// Opens a line, and serves it from now on.
    ///
    /// # Errors
    /// It can't be opened.
    pub(crate) fn add(
        &mut self,
        cards: &Cards,
        site: &Arc<Site>,
        number: u32,
        config: LineConfig,
        settings: LineSettings,
    ) -> Result<(), Failure> {
        let OpenLine { line, telephone, settings } = cards.open_line(number, settings)?;
        let events = line.events();
        let served = ServedLine {
            number,
            config: config.clone(),
            line,
            events,
            offered: None,
            telephone,
            settings,
            site: Arc::clone(site),
        };
        let (task, mut entry, changes) = LineTask::new(served);
        self.tasks.spawn(task.run());
        let before = StandingRequests::default();
        let standing = stand(site, number, &config, &mut entry, before);
        self.lines.insert(number, RunningLine { config, entry, changes, standing });
        Ok(())
    }

    /// Has the lines follow this configuration. Those that are not in it any more are closed, when
    /// their calls are over.
    ///
    /// # Errors
    /// Which lines can't be opened; the others are served.
    pub(crate) fn follow(
        &mut self,
        cards: &Cards,
        site: &Arc<Site>,
        lines: BTreeMap<u32, (LineConfig, LineSettings)>,
    ) -> Result<(), Failure> {
        let before = std::mem::take(&mut self.lines);
        for (number, line) in before {
            if lines.contains_key(&number) {
                self.lines.insert(number, line);
            } else {
                withdraw(line.standing);
            }
        }
        let mut failures = Vec::new();
        for (number, (config, settings)) in lines {
            match self.lines.get_mut(&number) {
                Some(line) if line.config == config => {}
                Some(line) => line.change(site, number, config, settings),
                None => failures.extend(self.add(cards, site, number, config, settings).err()),
            }
        }
        let Some(Failure { exit, .. }) = failures.first() else { return Ok(()) };
        let texts: Vec<&str> = failures.iter().map(|failure| failure.text.as_str()).collect();
        Err(Failure::new(*exit, texts.join("; ")))
    }

    /// The lines as the dispatcher knows them, in the order of their numbers.
    pub(crate) fn entries(&self) -> Vec<LineEntry> {
        self.lines.values().map(|line| line.entry.clone()).collect()
    }

    /// Tells the PBXs that the lines are not there any more.
    pub(crate) async fn unregister(&mut self) {
        let standing = self.lines.values_mut().map(|line| std::mem::take(&mut line.standing));
        let all = standing.flat_map(StandingRequests::into_all);
        let ended: JoinSet<()> = all.map(StandingRequest::stop).collect();
        ended.join_all().await;
    }

    /// Returns when no line is served any more. Cancel-safe.
    pub(crate) async fn gone(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

impl RunningLine {
    fn change(
        &mut self,
        site: &Arc<Site>,
        number: u32,
        config: LineConfig,
        settings: LineSettings,
    ) {
        let of = |config: &LineConfig| {
            let LineConfig { trunk, number, credential, register, mailbox, .. } = config;
            (trunk.clone(), number.clone(), credential.clone(), *register, mailbox.clone())
        };
        self.entry.follow(&config);
        if of(&self.config) != of(&config) {
            let before = std::mem::take(&mut self.standing);
            self.standing = stand(site, number, &config, &mut self.entry, before);
        }
        self.config = config.clone();
        // A task that has ended is one of a line that is gone.
        let _ = self.changes.send(LineChange { config, settings });
    }
}

/// Withdraws what the PBX was asked for.
fn withdraw(standing: StandingRequests) {
    for request in standing.into_all() {
        tokio::spawn(request.stop());
    }
}

/// Registers a line at its PBX and asks for its messages, as far as the line is to, once the
/// requests before have ended.
fn stand(
    site: &Arc<Site>,
    number: u32,
    config: &LineConfig,
    entry: &mut LineEntry,
    before: StandingRequests,
) -> StandingRequests {
    let what = format!("line {number}");
    let query = |user: &str| {
        let credential = config.credential.as_ref().map(UserSecret::credential);
        let query = Query::new(site, &config.trunk, user, credential);
        query.inspect_err(|error| warn!("the PBX of {what} can't be asked: {error}")).ok()
    };
    let StandingRequests { mut registration, mut messages } = before;
    let mut standing = StandingRequests::default();
    if config.register
        && let Some(query) = query(&config.number)
    {
        let (kind, before) = (Standing::Registration, registration.take());
        let over = Arc::default();
        let request = StandingRequest::start(kind, query, what.clone(), over, before);
        standing.registration = Some(request);
    }
    if let Some(telephone) = &mut entry.telephone {
        telephone.subscription = None;
        if let Some(mailbox) = &config.mailbox
            && let Some(query) = query(mailbox)
        {
            telephone.subscription = Some(query.tag());
            let (kind, before) = (Standing::Messages, messages.take());
            let over = Arc::clone(&telephone.over);
            let request = StandingRequest::start(kind, query, what.clone(), over, before);
            standing.messages = Some(request);
        }
    }
    withdraw(StandingRequests { registration, messages });
    standing
}

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
use crate::registration::Registration;
use crate::served_line::{ServedLine, Site};

/// A line that is served.
struct RunningLine {
    config: LineConfig,
    entry: LineEntry,
    /// What changes for its task. When it is dropped the task ends behind its call.
    changes: UnboundedSender<LineChange>,
    registration: Option<Registration>,
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
        let OpenLine { line, telephone, tells_callers } = cards.open_line(number, settings)?;
        let events = line.events();
        let registration = register(site, number, &config, None);
        let served = ServedLine {
            number,
            config: config.clone(),
            line,
            events,
            offered: None,
            telephone,
            tells_callers,
            site: Arc::clone(site),
        };
        let (task, entry, changes) = LineTask::new(served);
        self.tasks.spawn(task.run());
        self.lines.insert(number, RunningLine { config, entry, changes, registration });
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
            } else if let Some(registration) = line.registration {
                tokio::spawn(registration.stop());
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
        let registrations = self.lines.values_mut().filter_map(|line| line.registration.take());
        let ended: JoinSet<()> = registrations.map(Registration::stop).collect();
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
            let LineConfig { trunk, number, credential, register, .. } = config;
            (trunk.clone(), number.clone(), credential.clone(), *register)
        };
        if of(&self.config) != of(&config) {
            let before = self.registration.take();
            self.registration = register(site, number, &config, before);
        }
        self.entry.follow(&config);
        self.config = config.clone();
        // A task that has ended is one of a line that is gone.
        let _ = self.changes.send(LineChange { config, settings });
    }
}

/// Registers a line at its PBX, if it is to be, once another registration of it has ended.
fn register(
    site: &Arc<Site>,
    number: u32,
    config: &LineConfig,
    before: Option<Registration>,
) -> Option<Registration> {
    let LineConfig { trunk, number: user, credential, register, .. } = config;
    let what = format!("line {number}");
    let query = Query::new(site, trunk, user, credential.as_ref().map(UserSecret::credential));
    match query {
        Ok(query) if *register => return Some(Registration::start(query, what, before)),
        Ok(_) => {}
        Err(error) => warn!("{what} can't be registered at its PBX: {error}"),
    }
    if let Some(before) = before {
        tokio::spawn(before.stop());
    }
    None
}

//! What runs have shown, rule by rule: as text for people, and as JSON.
//!
//! A report is made of logs, one for each scenario that was run, and names the log of each finding,
//! so that a reader can repeat the run by its seed or judge the log again. A rule that was broken
//! once is broken; one that was kept in some runs and not exercised in others is kept.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::log::Log;
use crate::rules::{Finding, Rule, Verdict, find, judge};

/// The verdicts on the logs of one provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The provider, as the user named it.
    pub provider: String,
    /// What was played, in the order of the logs.
    pub runs: Vec<Played>,
    /// Each rule, in the order of the table.
    pub rules: Vec<Judged>,
}

/// One scenario that was played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Played {
    /// The scenario's name.
    pub scenario: String,
    /// The seed that repeats it.
    pub seed: u64,
}

/// The verdict on one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// The rule's key.
    pub key: String,
    /// What the logs say about it; the findings of all of them, in their order.
    pub verdict: Verdict,
    /// Of each finding, which of the runs has it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub found_in: Vec<usize>,
}

/// How many rules met with which verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rules that were kept.
    pub kept: usize,
    /// Rules that were broken.
    pub broken: usize,
    /// Rules that there was no occasion to break.
    pub not_exercised: usize,
    /// Rules that no log can show.
    pub not_observable: usize,
}

impl Report {
    /// Judges logs of one provider.
    pub fn of(logs: &[Log]) -> Report {
        let header = |log: &Log| log.header().clone();
        let provider = logs.first().map_or_else(String::new, |log| header(log).provider);
        let run = |log: &Log| Played { scenario: header(log).scenario, seed: header(log).seed };
        let mut rules: Vec<Judged> = Vec::new();
        for (index, log) in logs.iter().enumerate() {
            let verdicts = judge(log).into_iter();
            if rules.is_empty() {
                rules.extend(verdicts.map(|(rule, verdict)| Judged::new(rule, verdict, index)));
            } else {
                rules.iter_mut().zip(verdicts).for_each(|(of, (_, more))| of.add(more, index));
            }
        }
        Report { provider, runs: logs.iter().map(run).collect(), rules }
    }

    /// Reduces the report to this rule.
    pub fn only(mut self, key: &str) -> Report {
        self.rules.retain(|judged| judged.key == key);
        self
    }

    /// The keys of the rules that were broken.
    pub fn broken(&self) -> impl Iterator<Item = &str> {
        let broken = |judged: &&Judged| matches!(judged.verdict, Verdict::Broken { .. });
        self.rules.iter().filter(broken).map(|judged| &*judged.key)
    }

    /// How many rules met with which verdict.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for judged in &self.rules {
            match judged.verdict {
                Verdict::Kept { .. } => counts.kept += 1,
                Verdict::Broken { .. } => counts.broken += 1,
                Verdict::NotExercised => counts.not_exercised += 1,
                Verdict::NotObservable { .. } => counts.not_observable += 1,
            }
        }
        counts
    }

    /// The report as one JSON object.
    ///
    /// # Errors
    /// Those of the JSON library; no report causes one.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

impl Judged {
    fn new(rule: &Rule, verdict: Verdict, index: usize) -> Judged {
        let mut judged = Judged {
            key: rule.key.to_owned(),
            verdict: Verdict::NotExercised,
            found_in: Vec::new(),
        };
        judged.add(verdict, index);
        judged
    }

    /// What another log says about the rule.
    fn add(&mut self, verdict: Verdict, index: usize) {
        let count = |findings: &[Finding]| findings.iter().map(|_| index).collect::<Vec<_>>();
        match (&mut self.verdict, verdict) {
            (Verdict::Broken { findings }, Verdict::Broken { findings: more }) => {
                self.found_in.extend(count(&more));
                findings.extend(more);
            }
            (Verdict::Broken { .. }, _) | (_, Verdict::NotExercised) => {}
            (of, Verdict::Broken { findings }) => {
                self.found_in = count(&findings);
                *of = Verdict::Broken { findings };
            }
            (Verdict::Kept { times }, Verdict::Kept { times: more }) => {
                *times = times.saturating_add(more);
            }
            (of, other) => *of = other,
        }
    }
}

/// Up to so many findings of one rule are printed; the JSON has all.
const PRINTED: usize = 3;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.runs[..] {
            [run] => writeln!(f, "{}, {run}", self.provider)?,
            runs => writeln!(f, "{}, {} scenarios", self.provider, runs.len())?,
        }
        for Judged { key, verdict, found_in } in &self.rules {
            let says = find(key).map_or("", |rule| rule.says);
            match verdict {
                Verdict::Kept { times } => {
                    writeln!(f, "{key:<4} kept, {times} times: {says}")?;
                }
                Verdict::NotExercised => writeln!(f, "{key:<4} not exercised: {says}")?,
                Verdict::NotObservable { reason } => {
                    writeln!(f, "{key:<4} not observable, because {reason}: {says}")?;
                }
                Verdict::Broken { findings } => {
                    writeln!(f, "{key:<4} BROKEN, {} times: {says}", findings.len())?;
                    if let Some(rule) = find(key) {
                        writeln!(f, "     Source:        {}", rule.source)?;
                    }
                    for (finding, run) in findings.iter().zip(found_in).take(PRINTED) {
                        self.finding(f, finding, *run)?;
                    }
                    if findings.len() > PRINTED {
                        writeln!(f, "     and {} more", findings.len() - PRINTED)?;
                    }
                }
            }
        }
        let Counts { kept, broken, not_exercised, not_observable } = self.counts();
        writeln!(
            f,
            "{kept} rules kept, {broken} broken, {not_exercised} not exercised, \
             {not_observable} not observable"
        )
    }
}

impl Report {
    fn finding(&self, f: &mut fmt::Formatter<'_>, finding: &Finding, run: usize) -> fmt::Result {
        let entries: Vec<_> = finding.entries.iter().map(ToString::to_string).collect();
        writeln!(f, "     What was done: {}", finding.done)?;
        writeln!(f, "     What was seen: {}", finding.seen)?;
        if let Some(run) = self.runs.get(run) {
            writeln!(f, "     Where:         {run}, entries {}", entries.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scenario {}, seed {}", self.scenario, self.seed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::log::{Data, FORMAT, Header, What};

    /// A log whose drop returned 0.
    fn log() -> Log {
        let header = Header {
            format: FORMAT,
            provider: "libmodem.so".to_owned(),
            scenario: "drops".to_owned(),
            seed: 77,
            missing: vec![],
            watched: vec![],
        };
        let mut log = Log::new(header);
        for _ in 0..5 {
            let arguments = BTreeMap::from([("request".to_owned(), Data::Request(5))]);
            let function = "TSPI_lineDrop".to_owned();
            let of = log.add(0, What::Called { function, arguments }).unwrap();
            let (gave, filled) = (vec![], BTreeMap::new());
            log.add(0, What::Returned { of, result: 0, gave, filled }).unwrap();
        }
        log
    }

    #[test]
    fn a_finding_says_cause_sight_place_and_how_to_repeat_it() {
        let text = Report::of(&[log()]).only("R2").to_string();
        let expected = "\
libmodem.so, scenario drops, seed 77
R2   BROKEN, 5 times: An asynchronous function never returns 0.
     Source:        W32/asynchronous-functions
     What was done: TSPI_lineDrop under id 5 was asked
     What was seen: it returned 0
     Where:         scenario drops, seed 77, entries 0, 1
     What was done: TSPI_lineDrop under id 5 was asked
     What was seen: it returned 0
     Where:         scenario drops, seed 77, entries 2, 3
     What was done: TSPI_lineDrop under id 5 was asked
     What was seen: it returned 0
     Where:         scenario drops, seed 77, entries 4, 5
     and 2 more
0 rules kept, 1 broken, 0 not exercised, 0 not observable
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_log_that_was_kept_as_a_file_shows_the_same_without_the_provider() {
        let mut file = Vec::new();
        log().write(&mut file).unwrap();
        let again = Report::of(&Log::read_all(&file[..]).unwrap());
        assert_eq!(again, Report::of(&[log()]));
        let json = again.json().unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), again);
    }

    #[test]
    fn several_logs_are_one_report_and_a_finding_names_its_run() {
        let header = Header { scenario: "calm".to_owned(), ..log().header().clone() };
        let mut file = Vec::new();
        for log in [Log::new(header), log(), log()] {
            log.write(&mut file).unwrap();
        }
        let logs = Log::read_all(&file[..]).unwrap();
        let report = Report::of(&logs);
        assert_eq!(report.runs.len(), 3);
        let r2 = report.rules.iter().find(|judged| judged.key == "R2").unwrap();
        assert_eq!(r2.found_in, [vec![1; 5], vec![2; 5]].concat());
        assert_eq!(report.broken().collect::<Vec<_>>(), ["R1", "R2"]);
        // A rule that one log keeps and another does not exercise is kept.
        let kept = |report: &Report| report.counts().kept;
        assert_eq!(kept(&report), kept(&Report::of(&[log()])));
    }

    #[test]
    fn the_counts_are_those_of_all_rules_and_no_silence_counts_as_kept() {
        let report = Report::of(&[log()]);
        let Counts { kept, broken, not_exercised, not_observable } = report.counts();
        assert_eq!(kept + broken + not_exercised + not_observable, crate::rules::ALL.len());
        // R1 and R2 were broken; there was occasion to break R3 and X1.
        assert_eq!((kept, broken), (2, 2), "{report}");
    }
}

//! What a run has shown, rule by rule: as text for people, and as JSON.
//!
//! A report is made of a log and names where the log is from, so that a reader of the report can
//! repeat the run by its seed or judge the log again. Its verdicts are those of [`judge`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::log::{Header, Log};
use crate::rules::{Verdict, find, judge};

/// The verdicts on one log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Where the log is from.
    pub header: Header,
    /// Each rule, in the order of the table.
    pub rules: Vec<Judged>,
}

/// The verdict on one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// The rule's key.
    pub key: String,
    /// What the log says about it.
    pub verdict: Verdict,
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
    /// Judges a log.
    pub fn of(log: &Log) -> Report {
        let judged = |(rule, verdict): (&crate::rules::Rule, Verdict)| Judged {
            key: rule.key.to_owned(),
            verdict,
        };
        let rules = judge(log).into_iter().map(judged).collect();
        Report { header: log.header().clone(), rules }
    }

    /// Only what is said about this rule.
    pub fn only(mut self, key: &str) -> Report {
        self.rules.retain(|judged| judged.key == key);
        self
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
    /// None that a report can bring; those of the library.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

/// Up to so many findings of one rule are printed; the JSON has all.
const PRINTED: usize = 3;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Header { provider, scenario, seed, .. } = &self.header;
        writeln!(f, "{provider}, scenario {scenario}, seed {seed}")?;
        for Judged { key, verdict } in &self.rules {
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
                        writeln!(f, "     It stands in: {}", rule.source)?;
                    }
                    for finding in findings.iter().take(PRINTED) {
                        let entries: Vec<_> =
                            finding.entries.iter().map(ToString::to_string).collect();
                        writeln!(f, "     What was done: {}", finding.done)?;
                        writeln!(f, "     What was seen: {}", finding.seen)?;
                        writeln!(f, "     In the log:    entries {}", entries.join(", "))?;
                    }
                    if findings.len() > PRINTED {
                        writeln!(f, "     and {} more", findings.len() - PRINTED)?;
                    }
                    writeln!(f, "     To repeat it: scenario {scenario} with seed {seed}")?;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::log::{Data, FORMAT, What};

    /// A log whose drop returned 0.
    fn log() -> Log {
        let header = Header {
            format: FORMAT,
            provider: "libmodem.so".to_owned(),
            scenario: "drops".to_owned(),
            seed: 77,
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
        let text = Report::of(&log()).only("R2").to_string();
        let expected = "\
libmodem.so, scenario drops, seed 77
R2   BROKEN, 5 times: An asynchronous function never returns 0.
     It stands in: W32/asynchronous-functions
     What was done: TSPI_lineDrop under id 5 was asked
     What was seen: it returned 0
     In the log:    entries 0, 1
     What was done: TSPI_lineDrop under id 5 was asked
     What was seen: it returned 0
     In the log:    entries 2, 3
     What was done: TSPI_lineDrop under id 5 was asked
     What was seen: it returned 0
     In the log:    entries 4, 5
     and 2 more
     To repeat it: scenario drops with seed 77
0 rules kept, 1 broken, 0 not exercised, 0 not observable
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_log_that_was_kept_as_a_file_shows_the_same_without_the_provider() {
        let mut file = Vec::new();
        log().write(&mut file).unwrap();
        let again = Report::of(&Log::read(&file[..]).unwrap());
        assert_eq!(again, Report::of(&log()));
        let json = again.json().unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), again);
    }

    #[test]
    fn the_counts_are_those_of_all_rules_and_no_silence_counts_as_kept() {
        let report = Report::of(&log());
        let Counts { kept, broken, not_exercised, not_observable } = report.counts();
        assert_eq!(kept + broken + not_exercised + not_observable, crate::rules::ALL.len());
        // R1 and R2 were broken; R3 and X1 had their occasions.
        assert_eq!((kept, broken), (2, 2), "{report}");
    }
}

//! Checks the rules of the contract in the list of events that `--json` prints, independently of
//! the program's own checks.

use std::collections::BTreeMap;

use serde_json::Value;

/// What the list has about one request.
#[derive(Debug, Default)]
struct Request {
    submitted: Vec<usize>,
    returned: Vec<usize>,
    completed: Vec<usize>,
    delivered: Vec<usize>,
}

fn id(object: &Value) -> Option<u64> {
    object["id"].as_u64()
}

fn requests(objects: &[Value]) -> BTreeMap<u64, Request> {
    let mut requests: BTreeMap<u64, Request> = BTreeMap::new();
    for (place, object) in objects.iter().enumerate() {
        let Some(id) = id(object) else { continue };
        let request = requests.entry(id).or_default();
        match object["event"].as_str() {
            Some("submitted") => request.submitted.push(place),
            Some("returned") => request.returned.push(place),
            Some("completed") => request.completed.push(place),
            Some("delivered") => request.delivered.push(place),
            other => panic!("{other:?} of request {id}"),
        }
    }
    requests
}

/// Returns how many requests there are. Fails unless each has exactly one completion that was
/// delivered after its function had returned (C3, G1, R5).
pub(crate) fn completed_once(objects: &[Value]) -> Result<usize, String> {
    let requests = requests(objects);
    for (id, request) in &requests {
        let (&[submitted], &[returned], &[completed], &[delivered]) =
            (&*request.submitted, &*request.returned, &*request.completed, &*request.delivered)
        else {
            return Err(format!("request {id} is not there once: {request:?}"));
        };
        let time = |place: usize| objects[place]["t_ms"].as_f64().unwrap();
        if !(submitted < returned && returned < completed && completed < delivered) {
            return Err(format!("request {id} is out of order: {request:?}"));
        }
        if !(time(submitted) <= time(returned)
            && time(submitted) <= time(completed)
            && time(returned) <= time(delivered)
            && time(completed) <= time(delivered))
        {
            return Err(format!("the times of request {id} are out of order"));
        }
        if objects[completed]["early"] != false {
            return Err(format!("request {id} was completed early"));
        }
        if objects[delivered]["result"] != 0 {
            return Err(format!("request {id} failed: {}", objects[delivered]));
        }
    }
    Ok(requests.len())
}

/// The kinds of event that a line sends about a call.
const TOLD: [&str; 5] = ["call_state", "call_info", "digit", "generated", "message"];

/// Returns the events of each call with their indices, in order.
fn told(objects: &[Value]) -> BTreeMap<u64, Vec<(usize, &Value)>> {
    let mut calls: BTreeMap<u64, Vec<(usize, &Value)>> = BTreeMap::new();
    for (place, object) in objects.iter().enumerate() {
        if let (Some(event), Some(call)) = (object["event"].as_str(), object["call"].as_u64())
            && (TOLD.contains(&event) || event == "new_call")
        {
            calls.entry(call).or_default().push((place, object));
        }
    }
    calls
}

/// Returns how many calls there are. Fails unless each keeps O1, N4, N14, O3 and O4.
pub(crate) fn in_order(objects: &[Value]) -> Result<usize, String> {
    let calls = told(objects);
    for (call, events) in &calls {
        let making = objects.iter().find(|object| {
            object["event"] == "submitted"
                && object["function"] == "lineMakeCall"
                && object["call"] == *call
        });
        let (first, event) = events[0];
        match making.and_then(id) {
            Some(id) => {
                let made = objects
                    .iter()
                    .position(|object| object["event"] == "delivered" && object["id"] == id)
                    .filter(|place| objects[*place]["result"] == 0);
                if made.is_none_or(|made| first < made) {
                    let rule = if event["event"] == "call_state" { "O1" } else { "N4" };
                    return Err(format!("{rule}: call {call} before its completion: {event}"));
                }
                if let Some((_, again)) = events.iter().find(|(_, e)| e["event"] == "new_call") {
                    return Err(format!("N14: call {call} is known already: {again}"));
                }
            }
            None => {
                let next = events.get(1).map(|(_, event)| &event["event"]);
                if event["event"] != "new_call" || next.is_none_or(|next| next != "call_state") {
                    return Err(format!("N14: call {call} begins with {event}"));
                }
            }
        }
        if let Some(idle) = events.iter().position(|(_, event)| event["state"] == "IDLE") {
            for (_, after) in &events[idle + 1..] {
                match after["event"].as_str() {
                    Some("call_state") => return Err(format!("O3: call {call}: {after}")),
                    Some("call_info") => return Err(format!("O4: call {call}: {after}")),
                    _ => {}
                }
            }
        }
    }
    Ok(calls.len())
}

mod tests {
    use serde_json::json;

    use super::*;

    fn submitted(id: u32, function: &str, call: u32) -> Value {
        json!({"event": "submitted", "id": id, "t_ms": 1.0, "function": function, "call": call})
    }

    fn returned(id: u32) -> Value {
        json!({"event": "returned", "id": id, "t_ms": 2.0})
    }

    fn completed(id: u32) -> Value {
        json!({"event": "completed", "id": id, "t_ms": 2.5, "early": false})
    }

    fn delivered(id: u32) -> Value {
        json!({"event": "delivered", "id": id, "t_ms": 3.0, "result": 0})
    }

    fn state(call: u32, state: &str) -> Value {
        json!({"event": "call_state", "call": call, "state": state})
    }

    fn new_call(call: u32) -> Value {
        json!({"event": "new_call", "call": call})
    }

    fn made() -> Vec<Value> {
        vec![submitted(1, "lineMakeCall", 1), returned(1), completed(1), delivered(1)]
    }

    #[test]
    fn what_is_right_passes() {
        let mut list = made();
        list.extend([state(1, "DIALTONE"), new_call(2), state(2, "OFFERING"), state(1, "IDLE")]);
        list.push(json!({"event": "generated", "call": 1}));
        assert_eq!(completed_once(&list), Ok(1));
        assert_eq!(in_order(&list), Ok(2));
    }

    #[test]
    fn a_request_that_is_lost_doubled_early_or_failed_is_found() {
        let mut lost = made();
        lost.pop();
        assert!(completed_once(&lost).is_err());
        let mut doubled = made();
        doubled.push(delivered(1));
        assert!(completed_once(&doubled).is_err());
        let early = [submitted(1, "lineDrop", 1), completed(1), delivered(1), returned(1)];
        assert!(completed_once(&early).is_err());
        let mut failed = made();
        failed[3]["result"] = json!(-1);
        assert!(completed_once(&failed).is_err());
        let mut told_early = made();
        told_early[2]["early"] = json!(true);
        assert!(completed_once(&told_early).is_err());
        let mut backwards = made();
        backwards[3]["t_ms"] = json!(0.5);
        assert!(completed_once(&backwards).is_err());
    }

    #[test]
    fn events_out_of_order_are_found() {
        let broken = |list: &[Value]| in_order(list).unwrap_err()[..3].trim_end().to_owned();
        let mut early = made();
        early.insert(3, state(1, "DIALTONE"));
        assert_eq!(broken(&early), "O1:");
        let mut early = made();
        early.insert(1, json!({"event": "call_info", "call": 1}));
        assert_eq!(broken(&early), "N4:");
        let mut again = made();
        again.extend([state(1, "IDLE"), state(1, "CONNECTED")]);
        assert_eq!(broken(&again), "O3:");
        let mut info = made();
        info.extend([state(1, "IDLE"), json!({"event": "call_info", "call": 1})]);
        assert_eq!(broken(&info), "O4:");
        assert_eq!(broken(&[state(1, "OFFERING")]), "N14");
        assert_eq!(broken(&[new_call(1), json!({"event": "digit", "call": 1})]), "N14");
        assert_eq!(broken(&[new_call(1)]), "N14");
        let mut known = made();
        known.extend([state(1, "DIALTONE"), new_call(1), state(1, "OFFERING")]);
        assert_eq!(broken(&known), "N14");
    }
}

//! The latency distributions as a picture: the share of requests that are back after a time.

use std::fmt::Write;

use crate::latency::{Field, Latency, MAIN};
use crate::noise::machine;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 560.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 720.0;
const TOP: f64 = 70.0;
const BOTTOM: f64 = 480.0;
/// Distinguishable next to each other, also for readers who can't distinguish red from green.
const COLOURS: [&str; 9] = [
    "#0b5fa5", "#4aa3df", "#00a087", "#7fc97f", "#d1495b", "#e8943a", "#8e5ea2", "#333333",
    "#999999",
];
/// Shares that are not back yet; each step is a tenth of the one before, at equal distances.
const TAIL: [(f64, &str); 5] =
    [(1.0, "0"), (0.1, "90 %"), (0.01, "99 %"), (0.001, "99.9 %"), (0.0001, "99.99 %")];

/// Draws the main cell as SVG.
pub(crate) fn svg(found: &Latency) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    text(&mut svg, LEFT, 28.0, "start", 17, &format!("From submitting to the callback: {MAIN}"));
    text(&mut svg, LEFT, 48.0, "start", 11, &machine());
    if let Some(field) = found.field(MAIN) {
        field_of(&mut svg, field);
    }
    svg.push_str("</svg>\n");
    svg
}

fn field_of(svg: &mut String, field: &Field) {
    let courses: Vec<_> =
        field.courses.iter().filter(|course| !course.all.whole.is_empty()).collect();
    let least = courses.iter().map(|course| course.all.whole.min()).min().unwrap_or(1).max(1);
    let most = courses.iter().map(|course| course.all.whole.max()).max().unwrap_or(1);
    let (first, last) = ((least as f64).log10().floor(), (most as f64).log10().ceil());
    let x = |nanos: f64| {
        LEFT + (RIGHT - LEFT) * (nanos.max(1.0).log10() - first) / (last - first).max(1.0)
    };
    let decades = (TAIL.len() - 1) as f64;
    let y = |rest: f64| BOTTOM + (BOTTOM - TOP) * rest.max(1e-9).log10() / decades;
    for decade in first as i32..=last as i32 {
        let at = x(10_f64.powi(decade));
        let _ = writeln!(
            svg,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{BOTTOM}\" stroke=\"#ddd\"/>"
        );
        let micros = 10_f64.powi(decade - 3);
        text(svg, at, BOTTOM + 20.0, "middle", 13, &format!("{micros}"));
    }
    for (rest, label) in TAIL {
        let at = y(rest);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>"
        );
        text(svg, LEFT - 8.0, at + 4.0, "end", 13, label);
    }
    text(svg, (LEFT + RIGHT) / 2.0, BOTTOM + 44.0, "middle", 13, "microseconds");
    text(svg, LEFT, TOP - 8.0, "start", 12, "requests that have come back by then");
    for (n, (course, colour)) in courses.iter().zip(COLOURS.iter().cycle()).enumerate() {
        let mut points = String::new();
        let whole = &course.all.whole;
        let mut seen = 0;
        for value in whole.iter_recorded() {
            let rest = 1.0 - seen as f64 / whole.len() as f64;
            if rest < 0.0001 {
                break;
            }
            let at = x(value.value_iterated_to() as f64);
            let _ = write!(points, "{at:.1},{:.1} ", y(rest));
            seen += value.count_since_last_iteration();
        }
        let _ = writeln!(
            svg,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{points}\"/>"
        );
        let row = TOP + 14.0 + 36.0 * n as f64;
        let _ = writeln!(
            svg,
            "<line x1=\"{0}\" x2=\"{1}\" y1=\"{row}\" y2=\"{row}\" stroke=\"{colour}\" \
             stroke-width=\"3\"/>",
            RIGHT + 16.0,
            RIGHT + 36.0
        );
        text(svg, RIGHT + 42.0, row + 4.0, "start", 13, course.way);
        let median = whole.value_at_quantile(0.5) as f64 / 1000.0;
        text(svg, RIGHT + 42.0, row + 18.0, "start", 11, &format!("p50 {median:.2} us"));
    }
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, size: u32, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" \
         font-size=\"{size}\">{words}</text>"
    );
}

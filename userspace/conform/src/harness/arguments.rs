//! Converts arguments to C parameters, and a C function's output to data, by the shapes of its row.

use std::collections::BTreeMap;
use std::io;

use ringback_tspi::functions::{Function, Parameter, Shape};

use super::memory::{POISON, Piece, Watched};
use crate::log::{Data, Gave, Hex};
use crate::structures::size;

/// What TSPI_providerUIIdentify may write (MAX_PATH), in bytes.
const PATH_BYTES: usize = 520;

/// Memory of one parameter, and what it is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lent {
    pub parameter: &'static Parameter,
    pub piece: Piece,
    /// The page behind it.
    pub behind: Option<Watched>,
}

/// The arguments of one call.
pub(super) struct Arguments {
    /// A word for each C parameter.
    pub words: Vec<usize>,
    /// Input, outputs and memory that is filled later, in the order of the row.
    pub inputs: Vec<Lent>,
    pub outputs: Vec<Lent>,
    pub late: Vec<Lent>,
}

/// The addresses of the callbacks that are passed to functions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Callbacks {
    pub line: usize,
    pub phone: usize,
    pub completion: usize,
}

impl Arguments {
    /// Puts the arguments into memory. Arguments that are missing are 0 or NULL.
    ///
    /// # Errors
    /// The error of `mmap(2)`.
    pub fn new(
        function: &'static Function,
        given: &BTreeMap<String, Data>,
        callbacks: Callbacks,
    ) -> io::Result<Arguments> {
        let mut arguments = Arguments {
            words: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            late: Vec::new(),
        };
        for parameter in function.parameters {
            arguments.add(parameter, given.get(parameter.name), callbacks)?;
        }
        Ok(arguments)
    }

    fn add(
        &mut self,
        parameter: &'static Parameter,
        data: Option<&Data>,
        callbacks: Callbacks,
    ) -> io::Result<()> {
        let kind = parameter.c[0].kind;
        match parameter.shape {
            Shape::Callback => self.words.push(match kind {
                "LINEEVENT" => callbacks.line,
                "PHONEEVENT" => callbacks.phone,
                "ASYNC_COMPLETION" => callbacks.completion,
                _ => 0,
            }),
            Shape::Text | Shape::TextOrNull | Shape::SizedText => {
                let text = match data {
                    Some(Data::Text(text)) => text,
                    _ => return self.nothing(parameter),
                };
                let bytes = if kind == "LPCSTR" { narrow(text) } else { wide(text) };
                self.input(parameter, &bytes, bytes.len())?;
            }
            Shape::Bytes | Shape::Given | Shape::GivenOrNull | Shape::List => {
                let bytes = match data {
                    Some(Data::Bytes(Hex(bytes))) if !bytes.is_empty() => bytes,
                    _ => return self.nothing(parameter),
                };
                let record = parameter.c.iter().map(|c| size(c.kind)).max().unwrap_or(0).max(1);
                let size = if parameter.shape == Shape::List { record } else { 1 };
                self.input(parameter, bytes, bytes.len() / size)?;
            }
            Shape::Block | Shape::Filled => {
                let bytes = match data {
                    Some(Data::Bytes(Hex(bytes))) => bytes.clone(),
                    _ => Vec::new(),
                };
                self.output(parameter, &bytes)?;
                if parameter.c.len() == 2 {
                    self.words.push(bytes.len());
                }
            }
            Shape::Out => {
                let size = match kind {
                    "LPDWORD" => 4,
                    "LPHICON" => size_of::<usize>(),
                    "LPWSTR" => PATH_BYTES,
                    _ => 16,
                };
                // TAPI clears the word of options (G11).
                let before = if parameter.name == "options" { 0 } else { POISON };
                self.output(parameter, &vec![before; size])?;
            }
            Shape::New => {
                self.words.push(plain(data));
                self.output(parameter, &[POISON; size_of::<usize>()])?;
            }
            Shape::Late => self.late(parameter, data)?,
            _ => self.words.push(plain(data)),
        }
        Ok(())
    }

    fn nothing(&mut self, parameter: &Parameter) -> io::Result<()> {
        self.words.extend(parameter.c.iter().map(|_| 0));
        Ok(())
    }

    fn input(
        &mut self,
        parameter: &'static Parameter,
        bytes: &[u8],
        count: usize,
    ) -> io::Result<()> {
        let piece = Piece::new(bytes)?;
        self.inputs.push(Lent { parameter, piece, behind: None });
        let at = piece.at().expose_provenance();
        match parameter.c {
            [first, _] if first.kind == "DWORD" => self.words.extend([count, at]),
            [_, _] => self.words.extend([at, count]),
            _ => self.words.push(at),
        }
        Ok(())
    }

    fn output(&mut self, parameter: &'static Parameter, bytes: &[u8]) -> io::Result<()> {
        let lent = lend(parameter, bytes)?;
        self.words.push(lent.piece.at().expose_provenance());
        self.outputs.push(lent);
        Ok(())
    }

    fn late(&mut self, parameter: &'static Parameter, data: Option<&Data>) -> io::Result<()> {
        let size = match data {
            Some(Data::Late(size)) => usize::try_from(*size).map_err(io::Error::other)?,
            _ => return self.nothing(parameter),
        };
        let mut bytes = vec![POISON; size];
        if parameter.c[0].kind == "LPVARSTRING" && size >= 12 {
            bytes.fill(0);
            bytes[..4].copy_from_slice(&(size as u32).to_le_bytes());
        }
        let lent = lend(parameter, &bytes)?;
        self.words.push(lent.piece.at().expose_provenance());
        if parameter.c.len() == 2 {
            // Digits are counted in units of UTF-16.
            self.words.push(size / 2);
        }
        self.late.push(lent);
        Ok(())
    }

    /// The output that the function has written before it returned, and the names of the output
    /// parameters that it left unwritten.
    pub fn gave(&self) -> (Vec<Gave>, Vec<&'static str>) {
        let (mut gave, mut unwritten) = (Vec::new(), Vec::new());
        for Lent { parameter, piece, .. } in &self.outputs {
            if !matches!(parameter.shape, Shape::Out | Shape::New) {
                continue;
            }
            let bytes = piece.bytes();
            let is_written = bytes.iter().any(|byte| *byte != POISON);
            if !is_written {
                unwritten.push(parameter.name);
            }
            let word = |bytes: &[u8]| {
                let bytes = bytes.iter().rev();
                bytes.fold(0_u64, |word, byte| word << 8 | u64::from(*byte))
            };
            gave.push(match (parameter.shape, parameter.c[0].kind) {
                (Shape::New, _) => Gave::Word(if is_written { word(&bytes) } else { 0 }),
                (_, "LPDWORD") => Gave::Number(word(&bytes) as u32),
                (_, "LPHICON") => Gave::Word(word(&bytes)),
                (_, "LPWSTR") => Gave::Text(text(&bytes)),
                _ => Gave::Bytes(Hex(bytes)),
            });
        }
        (gave, unwritten)
    }

    /// The structures and blocks that the function was to fill, as they are now.
    pub fn filled(&self) -> BTreeMap<String, Hex> {
        let filled = self
            .outputs
            .iter()
            .filter(|lent| matches!(lent.parameter.shape, Shape::Filled | Shape::Block));
        filled.map(|lent| (lent.parameter.name.to_owned(), Hex(lent.piece.bytes()))).collect()
    }
}

fn lend(parameter: &'static Parameter, bytes: &[u8]) -> io::Result<Lent> {
    let piece = Piece::new(bytes)?;
    Ok(Lent { parameter, piece, behind: piece.watch_behind() })
}

/// The C parameter for data that is passed by value.
fn plain(data: Option<&Data>) -> usize {
    match data {
        Some(Data::Request(number) | Data::Number(number) | Data::Version(number)) => {
            *number as usize
        }
        Some(Data::Word(word) | Data::Handle { value: word, .. }) => *word as usize,
        _ => 0,
    }
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

fn narrow(text: &str) -> Vec<u8> {
    text.bytes().chain([0]).collect()
}

fn text(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units)
}

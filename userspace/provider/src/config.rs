//! TSPI_lineGetDevConfig and TSPI_lineSetDevConfig: the block that an application keeps and
//! restores.
//!
//! The block consists of a mark, the version of its layout, the kind of device, and a text: the
//! country of an exchange line and its options, such as `GERMANY;answer=polarity`, the options of a
//! telephone's line, or the command line that is sent to a modem before every call.

use ringback_lines::{DeviceConfig, ExchangeOptions, TelephoneOptions};
use ringback_tspi::error::LineError;

const MARK: [u8; 4] = *b"RBCF";
const VERSION: u32 = 1;
const EXCHANGE: u32 = 1;
const MODEM: u32 = 2;
const TELEPHONE: u32 = 3;
/// What separates the parts of a line's text.
const SEPARATOR: &str = ";";

/// The configuration as a block for TSPI_lineSetDevConfig.
pub fn config_block(config: &DeviceConfig) -> Vec<u8> {
    let (of, text) = match config {
        DeviceConfig::Exchange { country, options } => {
            let parts = [vec![country.clone()], options.parts()].concat();
            (EXCHANGE, parts.join(SEPARATOR))
        }
        DeviceConfig::Telephone { options } => (TELEPHONE, options.parts().join(SEPARATOR)),
        DeviceConfig::Modem { init } => (MODEM, init.clone()),
    };
    let mut bytes = MARK.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(of.to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

/// Reads a block back.
///
/// # Errors
/// INVALPARAM for a block that no version of Ringback has made.
pub(super) fn read(bytes: &[u8]) -> Result<DeviceConfig, LineError> {
    let (head, text) = bytes.split_first_chunk::<12>().ok_or(LineError::INVALPARAM)?;
    let mut words = head.chunks_exact(4);
    let known = words.next() == Some(&MARK) && words.next() == Some(&VERSION.to_le_bytes());
    let of = words.next().filter(|_| known).ok_or(LineError::INVALPARAM)?;
    let text = str::from_utf8(text).map_err(|_| LineError::INVALPARAM)?.to_owned();
    if of == EXCHANGE.to_le_bytes() {
        let mut parts = text.split(SEPARATOR);
        let country = parts.next().unwrap_or_default().to_owned();
        let mut options = ExchangeOptions::default();
        parts.try_for_each(|part| options.set(part))?;
        Ok(DeviceConfig::Exchange { country, options })
    } else if of == TELEPHONE.to_le_bytes() {
        let mut options = TelephoneOptions::default();
        text.split(SEPARATOR)
            .filter(|part| !part.is_empty())
            .try_for_each(|part| options.set(part))?;
        Ok(DeviceConfig::Telephone { options })
    } else if of == MODEM.to_le_bytes() {
        Ok(DeviceConfig::Modem { init: text })
    } else {
        Err(LineError::INVALPARAM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_lines::{Answer, SoundOptions};

    #[test]
    fn a_block_reads_back_and_another_one_is_refused() {
        let exchange = |options| DeviceConfig::Exchange { country: "GERMANY".into(), options };
        let all = [
            exchange(ExchangeOptions::default()),
            exchange(ExchangeOptions { answer: Answer::Tones, ..ExchangeOptions::default() }),
            DeviceConfig::Telephone { options: TelephoneOptions::default() },
            DeviceConfig::Telephone {
                options: TelephoneOptions {
                    sound: SoundOptions { echo_cancel: true, gain_received: -3, gain_sent: 6 },
                    ..TelephoneOptions::default()
                },
            },
            DeviceConfig::Telephone {
                options: TelephoneOptions { ring_mode: 3, ..TelephoneOptions::default() },
            },
            DeviceConfig::Modem { init: "ATX4".into() },
        ];
        for config in all {
            let block = config_block(&config);
            assert_eq!(read(&block).as_ref(), Ok(&config));
            for at in 0..12 {
                let mut other = block.clone();
                other[at] ^= 0x40;
                assert_eq!(read(&other), Err(LineError::INVALPARAM), "byte {at}");
            }
            assert_eq!(read(&block[..11]), Err(LineError::INVALPARAM));
            let broken = [&block[..12], &[0xFF]].concat();
            assert_eq!(read(&broken), Err(LineError::INVALPARAM));
            let unknown = [&block[..], b";answer=perhaps"].concat();
            assert_eq!(read(&unknown).is_err(), !matches!(config, DeviceConfig::Modem { .. }));
        }
    }
}

//! The line modes: what an FXO line must be like for a country's exchanges, one row each.
//!
//! Names and values are those of DAHDI's `opermode`, so that who comes from there finds his own.
//! Its fields become registers of the Si3050: 16 (OHS, RZ, RT), 26 (DCV, MINI, ILIM), 30 (ACIM) and
//! 31 (OHS2).
//!
//! Each row also has the law by which the network compands samples (ITU-T G.711): u-law where it
//! was built on trunks of 1544 kbit/s (North America with Guam, Japan, Hong Kong, Taiwan), A-law
//! elsewhere. DAHDI has u-law for an analog card in every country, unless it is told otherwise.

use crate::{Companding, Daa};

/// One line mode.
#[derive(Debug, Clone)]
pub(crate) struct LineMode {
    /// DAHDI's name for it.
    pub(crate) name: &'static str,
    pub(crate) english: &'static str,
    /// ISO 3166-1 alpha-2; empty for a region of several countries.
    pub(crate) iso: &'static str,
    pub(crate) daa: Daa,
    /// The impedance of telephones' lines, bits 2 to 0 of the Si3210's register 10.
    pub(crate) impedance: u8,
    pub(crate) companding: Companding,
    /// The key of the zone whose tones its exchanges have, if that has one.
    pub(crate) zone: &'static str,
}

impl LineMode {
    /// The mode with the tones of another zone than that of its own code.
    const fn toned(self, zone: &'static str) -> LineMode {
        LineMode { zone, ..self }
    }

    /// The mode of a network with u-law.
    const fn u_law(self) -> LineMode {
        LineMode { companding: Companding::ULaw, ..self }
    }
}

/// The Si3210's impedance that is nearest to one of the Si3050 (ACIM of register 30), as DAHDI has
/// it: 600 ohm, 900 ohm, that of CTR 21, of Australia and so on.
const fn telephone_impedance(acim: u8) -> u8 {
    match acim {
        1 => 1,
        2 => 4,
        3 => 5,
        4 => 7,
        7 => 6,
        11 => 2,
        13 => 3,
        _ => 0,
    }
}

const fn mode(
    name: &'static str,
    english: &'static str,
    iso: &'static str,
    international: u8,
    dc_termination: u8,
    ac_termination: u8,
    control_3: u8,
) -> LineMode {
    let hybrid = [0; 8];
    let daa = Daa { international, dc_termination, ac_termination, control_3, hybrid };
    let impedance = telephone_impedance(ac_termination);
    let companding = Companding::ALaw;
    LineMode { name, english, iso, daa, impedance, companding, zone: iso }
}

/// All line modes, the default first.
pub(crate) static MODES: &[LineMode] = &[
    mode("FCC", "North America", "", 0x01, 0xC0, 0x00, 0xA3).toned("US").u_law(),
    mode("TBR21", "Europe", "", 0x00, 0xC2, 0x02, 0xA3).toned("EUROPE"),
    mode("ARGENTINA", "Argentina", "AR", 0x00, 0xC0, 0x00, 0xA3),
    mode("AUSTRALIA", "Australia", "AU", 0x40, 0x30, 0x03, 0xA3),
    mode("AUSTRIA", "Austria", "AT", 0x00, 0xC2, 0x03, 0xAB),
    mode("BAHRAIN", "Bahrain", "BH", 0x00, 0xC2, 0x02, 0xA3),
    mode("BELGIUM", "Belgium", "BE", 0x00, 0xC2, 0x02, 0xAB),
    mode("BRAZIL", "Brazil", "BR", 0x00, 0x30, 0x00, 0xA3),
    mode("BULGARIA", "Bulgaria", "BG", 0x00, 0xC2, 0x03, 0xA3),
    mode("CANADA", "Canada", "CA", 0x00, 0xC0, 0x00, 0xA3).toned("US").u_law(),
    mode("CHILE", "Chile", "CL", 0x00, 0xC0, 0x00, 0xA3),
    mode("CHINA", "China", "CN", 0x00, 0x30, 0x0F, 0xA3),
    mode("COLOMBIA", "Colombia", "CO", 0x00, 0xC0, 0x00, 0xA3),
    mode("CROATIA", "Croatia", "HR", 0x00, 0xC2, 0x02, 0xA3),
    mode("CYPRUS", "Cyprus", "CY", 0x00, 0xC2, 0x02, 0xA3),
    mode("CZECH", "Czech Republic", "CZ", 0x00, 0xC2, 0x02, 0xA3),
    mode("DENMARK", "Denmark", "DK", 0x00, 0xC2, 0x02, 0xAB),
    mode("ECUADOR", "Ecuador", "EC", 0x00, 0xC0, 0x00, 0xA3),
    mode("EGYPT", "Egypt", "EG", 0x00, 0x30, 0x00, 0xA3),
    mode("ELSALVADOR", "El Salvador", "SV", 0x00, 0xC0, 0x00, 0xA3),
    mode("FINLAND", "Finland", "FI", 0x00, 0xC2, 0x02, 0xAB),
    mode("FRANCE", "France", "FR", 0x00, 0xC2, 0x02, 0xAB),
    mode("GERMANY", "Germany", "DE", 0x00, 0xC2, 0x03, 0xAB),
    mode("GREECE", "Greece", "GR", 0x00, 0xC2, 0x02, 0xAB),
    mode("GUAM", "Guam", "GU", 0x00, 0xC0, 0x00, 0xA3).toned("US").u_law(),
    mode("HONGKONG", "Hong Kong", "HK", 0x00, 0xC0, 0x00, 0xA3).u_law(),
    mode("HUNGARY", "Hungary", "HU", 0x00, 0xC0, 0x00, 0xA3),
    mode("ICELAND", "Iceland", "IS", 0x00, 0xC2, 0x02, 0xAB),
    mode("INDIA", "India", "IN", 0x00, 0xC0, 0x04, 0xA3),
    mode("INDONESIA", "Indonesia", "ID", 0x00, 0xC0, 0x00, 0xA3),
    mode("IRELAND", "Ireland", "IE", 0x00, 0xC2, 0x02, 0xAB),
    mode("ISRAEL", "Israel", "IL", 0x00, 0xC2, 0x02, 0xA3),
    mode("ITALY", "Italy", "IT", 0x00, 0xC2, 0x02, 0xAB),
    mode("JAPAN", "Japan", "JP", 0x00, 0x30, 0x00, 0xA3).u_law(),
    mode("JORDAN", "Jordan", "JO", 0x00, 0x30, 0x00, 0xA3),
    mode("KAZAKHSTAN", "Kazakhstan", "KZ", 0x00, 0xC0, 0x00, 0xA3),
    mode("KUWAIT", "Kuwait", "KW", 0x00, 0xC0, 0x00, 0xA3),
    mode("LATVIA", "Latvia", "LV", 0x00, 0xC2, 0x02, 0xA3),
    mode("LEBANON", "Lebanon", "LB", 0x00, 0xC2, 0x02, 0xA3),
    mode("LUXEMBOURG", "Luxembourg", "LU", 0x00, 0xC2, 0x02, 0xAB),
    mode("MACAO", "Macao", "MO", 0x00, 0xC0, 0x00, 0xA3),
    mode("MALAYSIA", "Malaysia", "MY", 0x00, 0x30, 0x00, 0xA3),
    mode("MALTA", "Malta", "MT", 0x00, 0xC2, 0x02, 0xA3),
    mode("MEXICO", "Mexico", "MX", 0x00, 0xC0, 0x00, 0xA3),
    mode("MOROCCO", "Morocco", "MA", 0x00, 0xC2, 0x02, 0xA3),
    mode("NETHERLANDS", "Netherlands", "NL", 0x00, 0xC2, 0x02, 0xAB),
    mode("NEWZEALAND", "New Zealand", "NZ", 0x00, 0xC0, 0x04, 0xA3),
    mode("NIGERIA", "Nigeria", "NG", 0x00, 0xC2, 0x02, 0xA3),
    mode("NORWAY", "Norway", "NO", 0x00, 0xC2, 0x02, 0xAB),
    mode("OMAN", "Oman", "OM", 0x00, 0x30, 0x00, 0xA3),
    mode("PAKISTAN", "Pakistan", "PK", 0x00, 0x30, 0x00, 0xA3),
    mode("PERU", "Peru", "PE", 0x00, 0xC0, 0x00, 0xA3),
    mode("PHILIPPINES", "Philippines", "PH", 0x00, 0x30, 0x00, 0xA3),
    mode("POLAND", "Poland", "PL", 0x03, 0xC0, 0x00, 0xA3),
    mode("PORTUGAL", "Portugal", "PT", 0x00, 0xC2, 0x02, 0xAB),
    mode("ROMANIA", "Romania", "RO", 0x00, 0xC0, 0x00, 0xA3),
    mode("RUSSIA", "Russia", "RU", 0x00, 0x30, 0x00, 0xA3),
    mode("SAUDIARABIA", "Saudi Arabia", "SA", 0x00, 0xC0, 0x00, 0xA3),
    mode("SINGAPORE", "Singapore", "SG", 0x00, 0xC0, 0x00, 0xA3),
    mode("SLOVAKIA", "Slovakia", "SK", 0x00, 0xC0, 0x03, 0xA3),
    mode("SLOVENIA", "Slovenia", "SI", 0x00, 0xC0, 0x02, 0xA3),
    mode("SOUTHAFRICA", "South Africa", "ZA", 0x42, 0xC0, 0x03, 0xA3),
    mode("SOUTHKOREA", "South Korea", "KR", 0x00, 0xC0, 0x00, 0xA3),
    mode("SPAIN", "Spain", "ES", 0x00, 0xC2, 0x02, 0xAB),
    mode("SWEDEN", "Sweden", "SE", 0x00, 0xC2, 0x02, 0xAB),
    mode("SWITZERLAND", "Switzerland", "CH", 0x00, 0xC2, 0x02, 0xAB),
    mode("SYRIA", "Syria", "SY", 0x00, 0x30, 0x00, 0xA3),
    mode("TAIWAN", "Taiwan", "TW", 0x00, 0x30, 0x00, 0xA3).u_law(),
    mode("THAILAND", "Thailand", "TH", 0x00, 0x30, 0x00, 0xA3),
    mode("UAE", "United Arab Emirates", "AE", 0x00, 0xC0, 0x00, 0xA3),
    mode("UK", "United Kingdom", "GB", 0x00, 0xC2, 0x05, 0xAB),
    mode("USA", "United States", "US", 0x00, 0xC0, 0x00, 0xA3).u_law(),
    mode("YEMEN", "Yemen", "YE", 0x00, 0xC0, 0x00, 0xA3),
];

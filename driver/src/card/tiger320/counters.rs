//! What a card has counted since it was opened.

/// Counters of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Frames of 1 ms that were exchanged.
    pub ticks: u64,
    /// Frames that were lost, because the interrupt was served more than 1 ms late or not at all.
    pub missed: u64,
    /// Frames whose samples were stored after the card had begun to play their chunk.
    pub late: u64,
    /// Calls of the interrupt service that found nothing to do.
    pub idle: u64,
    /// Times the interrupt was masked because it stayed although it was acknowledged.
    pub masked: u64,
    /// PCI master aborts: no device answered a bus access of the card.
    pub master_aborts: u64,
    /// PCI target aborts: the memory refused a bus access of the card.
    pub target_aborts: u64,
    /// Times the DMA stopped without an abort.
    pub stalls: u64,
    /// Times the DMA was started anew after an abort or a stall.
    pub recoveries: u64,
    /// Times the samples of the slots were found in each other's places, and the serial port was
    /// reset once more.
    pub shifted: u64,
    /// Times the card was found reset, and was set up again.
    pub resets: u64,
    /// Modules found with their reset values.
    pub part_resets: u64,
    /// FXS lines opened by a power alarm.
    pub power_alarms: u64,
    /// FXO line sides that stopped answering.
    pub link_losses: u64,
    /// Modules that gave no sensible answer.
    pub silences: u64,
    /// Modules that were set up again after a fault.
    pub restored: u64,
    /// Control registers that were found changed and written again.
    pub rewritten: u64,
    /// Registers of modules that were read.
    pub module_reads: u64,
    /// Registers of modules that were written.
    pub module_writes: u64,
    /// Accesses to the card's registers for these reads and writes.
    pub spi_accesses: u64,
}

impl Counters {
    /// All of them by their names.
    pub fn named(&self) -> Vec<(&'static str, u64)> {
        let Counters {
            ticks,
            missed,
            late,
            idle,
            masked,
            master_aborts,
            target_aborts,
            stalls,
            recoveries,
            shifted,
            resets,
            part_resets,
            power_alarms,
            link_losses,
            silences,
            restored,
            rewritten,
            module_reads,
            module_writes,
            spi_accesses,
        } = *self;
        vec![
            ("ticks", ticks),
            ("missed", missed),
            ("late", late),
            ("idle", idle),
            ("masked", masked),
            ("master_aborts", master_aborts),
            ("target_aborts", target_aborts),
            ("stalls", stalls),
            ("recoveries", recoveries),
            ("shifted", shifted),
            ("resets", resets),
            ("part_resets", part_resets),
            ("power_alarms", power_alarms),
            ("link_losses", link_losses),
            ("silences", silences),
            ("restored", restored),
            ("rewritten", rewritten),
            ("module_reads", module_reads),
            ("module_writes", module_writes),
            ("spi_accesses", spi_accesses),
        ]
    }
}

//! Requests that wait, by what must not wait: prices and cancels first, then the venue's own work, then new orders and the
//! rest.

use crate::{NotTaken, Request};
use engine::Command;
use std::collections::VecDeque;

/// Which queue a request waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Prices, and what takes risk away: without them nobody knows who is below the line, and nobody can step back.
    First,
    /// Ticks and what an operator does: liquidations go on.
    Work,
    /// What adds risk, and everything else.
    Orders,
}

/// The most that wait in each queue.
pub const QUEUE_LIMITS: [usize; 3] = [65_536, 4_096, 65_536];

impl Class {
    /// The queue of a command.
    #[must_use]
    pub fn of(command: &Command) -> Self {
        match command {
            Command::SetPrices { .. }
            | Command::CancelOrder { .. }
            | Command::CancelAll { .. }
            | Command::CancelAllAfter { .. }
            | Command::Deposit { .. } => Self::First,
            Command::Tick
            | Command::SetMarketStatus { .. }
            | Command::SetMarketParams { .. }
            | Command::SetRiskParams(_)
            | Command::SetAccountStatus { .. }
            | Command::SetFundingRate { .. } => Self::Work,
            _ => Self::Orders,
        }
    }

    fn at(self) -> usize {
        match self {
            Self::First => 0,
            Self::Work => 1,
            Self::Orders => 2,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Queues {
    waiting: [VecDeque<(u64, Request)>; 3],
    tickets: u64,
}

impl Queues {
    /// Takes a request in and gives its ticket.
    pub fn push(&mut self, request: Request) -> Result<u64, NotTaken> {
        let class = Class::of(&request.command);
        let limit = QUEUE_LIMITS.get(class.at()).copied().unwrap_or(0);
        let Some(queue) = self.waiting.get_mut(class.at()).filter(|queue| queue.len() < limit) else {
            return Err(NotTaken::Overloaded { class, limit });
        };
        self.tickets += 1;
        queue.push_back((self.tickets, request));
        Ok(self.tickets)
    }

    /// The next in line.
    pub fn pop(&mut self) -> Option<(u64, Request)> {
        self.waiting.iter_mut().find_map(VecDeque::pop_front)
    }

    /// The next in line waits for the next batch.
    pub fn put_back(&mut self, ticket: u64, request: Request) {
        if let Some(queue) = self.waiting.get_mut(Class::of(&request.command).at()) {
            queue.push_front((ticket, request));
        }
    }

    pub fn len(&self) -> usize {
        self.waiting.iter().map(VecDeque::len).sum()
    }
}

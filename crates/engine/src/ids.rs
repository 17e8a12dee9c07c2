//! Handles: dense numbers given out in order, and names for people. A handle from outside is checked once, where a
//! command is judged; inside, it always points at something.

use crate::limits::NAME_MAX;
use core::fmt;
use serde::{Deserialize, Serialize};

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident, $int:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl $name {
            /// Position in its table.
            #[must_use]
            pub fn index(self) -> usize {
                usize::try_from(self.0).unwrap_or(usize::MAX)
            }

            /// The handle of a position in its table; the largest handle, which points at nothing, when it does not fit.
            #[must_use]
            pub fn at(index: usize) -> Self {
                Self(<$int>::try_from(index).unwrap_or(<$int>::MAX))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

handle!(
    /// An asset.
    AssetId, u8
);
handle!(
    /// An index: a price from outside, agreed on by several sources.
    IndexId, u16
);
handle!(
    /// A market.
    MarketId, u16
);
handle!(
    /// A subaccount: the unit of margin.
    AccountId, u32
);
handle!(
    /// An owner of subaccounts; given by the caller.
    OwnerId, u32
);

handle!(
    /// A group of related owners; given by the caller.
    GroupId, u32
);

/// What a limit is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitScope {
    /// A trading subaccount with its isolated positions.
    Account(AccountId),
    /// All subaccounts of an owner.
    Owner(OwnerId),
    /// All owners of a group.
    Group(GroupId),
}

impl fmt::Display for LimitScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => write!(f, "account {id}"),
            Self::Owner(id) => write!(f, "owner {id}"),
            Self::Group(id) => write!(f, "group {id}"),
        }
    }
}

/// Which position of a subaccount in a market: the only one, or a leg of hedge mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// The one position of one-way mode, of either sign.
    #[default]
    Net,
    /// In hedge mode: never below zero.
    Long,
    /// In hedge mode: never above zero.
    Short,
}

impl Leg {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Net, Self::Long, Self::Short];
}

/// A position within a subaccount: its market and leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionId {
    /// Where.
    pub market: MarketId,
    /// Which.
    pub leg: Leg,
}

impl MarketId {
    /// The position of one-way mode in this market.
    #[must_use]
    pub fn net(self) -> PositionId {
        self.leg(Leg::Net)
    }

    /// A position in this market.
    #[must_use]
    pub fn leg(self, leg: Leg) -> PositionId {
        PositionId { market: self, leg }
    }
}

/// An order: a serial number and its slot, so that a stale id finds nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(pub u64);

impl OrderId {
    const SLOT_BITS: u32 = 24;

    /// From a serial number and a slot below 2²⁴.
    #[must_use]
    pub fn new(serial: u64, slot: u32) -> Self {
        Self((serial << Self::SLOT_BITS) | u64::from(slot))
    }

    /// The slot in the table of orders.
    #[must_use]
    pub fn slot(self) -> usize {
        usize::try_from(self.0 & ((1 << Self::SLOT_BITS) - 1)).unwrap_or(usize::MAX)
    }

    /// The serial number: orders are numbered in the order in which they are accepted.
    #[must_use]
    pub fn serial(self) -> u64 {
        self.0 >> Self::SLOT_BITS
    }
}

/// A name for people: 1 to 24 of `A–Z a–z 0–9 . _ - : /`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    bytes: [u8; NAME_MAX],
    len: u8,
}

impl Name {
    /// Reads a name; `None` when it is empty, too long or holds another character.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-:/".contains(&b);
        if text.is_empty() || text.len() > NAME_MAX || !text.bytes().all(plain) {
            return None;
        }
        let mut bytes = [0; NAME_MAX];
        for (to, from) in bytes.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        Some(Self { bytes, len: u8::try_from(text.len()).ok()? })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = usize::from(self.len);
        self.bytes.get(..end).and_then(|b| core::str::from_utf8(b).ok()).unwrap_or("")
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let text = alloc::string::String::deserialize(d)?;
        Self::new(&text).ok_or_else(|| D::Error::custom("a name has 1 to 24 of A-Z a-z 0-9 . _ - : /"))
    }
}

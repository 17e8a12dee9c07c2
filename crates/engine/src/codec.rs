//! The binary form: fixed-width little-endian integers in the order of declaration, nothing else.
//!
//! Lists and texts begin with their length (u32), an option with 0 or 1 (u8), a variant with its number (u16). Reading
//! trusts nothing: lengths are bounded by what is left, and every value passes the checks of its type.

use crate::{Answer, Command, Reject, limits};
use alloc::vec::Vec;
use core::fmt;
use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};
use serde::{Deserialize, Serialize, ser};

/// Where bytes go.
pub(crate) trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Writes a value; every type of this crate can be written.
pub(crate) fn write<T: Serialize, S: Sink>(value: &T, sink: &mut S) {
    // The serializer below has no failing path, and no type of this crate asks for one.
    let _ = value.serialize(&mut Writer { sink });
}

/// The binary form of a command.
#[must_use]
pub fn encode(command: &Command) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(command, &mut bytes);
    bytes
}

/// Why bytes are not a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// They end too early.
    Short,
    /// Bytes are left over.
    Long,
    /// A number, text or variant that does not exist.
    Invalid,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "bytes end inside a command",
            Self::Long => "bytes are left over after a command",
            Self::Invalid => "a value that no command has",
        })
    }
}

impl core::error::Error for DecodeError {}
impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Invalid
    }
}
impl ser::Error for DecodeError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Invalid
    }
}

/// Reads a command; all bytes belong to it.
///
/// # Errors
/// [`DecodeError`]; never panics, whatever the bytes.
pub fn decode(bytes: &[u8]) -> Result<Command, DecodeError> {
    if bytes.len() > limits::COMMAND_BYTES_MAX {
        return Err(DecodeError::Long);
    }
    read(bytes)
}

/// Adds the binary form of a command to some bytes.
pub fn encode_into(command: &Command, bytes: &mut Vec<u8>) {
    write(command, bytes);
}

/// The binary form of what a command was answered.
#[must_use]
pub fn encode_answer(answer: &Result<Answer, Reject>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(answer, &mut bytes);
    bytes
}

/// Reads what [`encode_answer`] wrote; all bytes belong to it.
///
/// # Errors
/// [`DecodeError`]; never panics, whatever the bytes.
pub fn decode_answer(bytes: &[u8]) -> Result<Result<Answer, Reject>, DecodeError> {
    read(bytes)
}

/// Reads a value; all bytes belong to it.
pub(crate) fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, DecodeError> {
    let mut reader = Reader { bytes };
    let value = T::deserialize(&mut reader)?;
    if reader.bytes.is_empty() { Ok(value) } else { Err(DecodeError::Long) }
}

struct Writer<'a, S> {
    sink: &'a mut S,
}

impl<S: Sink> Writer<'_, S> {
    fn length(&mut self, n: usize) {
        self.sink.put(&u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes());
    }

    fn variant(&mut self, n: u32) {
        self.sink.put(&u16::try_from(n).unwrap_or(u16::MAX).to_le_bytes());
    }
}

macro_rules! write_int {
    ($($name:ident $int:ty),*) => { $(
        fn $name(self, v: $int) -> Result<(), DecodeError> {
            self.sink.put(&v.to_le_bytes());
            Ok(())
        }
    )* };
}

impl<S: Sink> ser::Serializer for &mut Writer<'_, S> {
    type Ok = ();
    type Error = DecodeError;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    write_int!(serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_i128 i128);
    write_int!(serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_u128 u128);

    fn is_human_readable(&self) -> bool {
        false
    }
    fn serialize_bool(self, v: bool) -> Result<(), DecodeError> {
        self.serialize_u8(u8::from(v))
    }
    // tidy: float — the trait wants these two; no float has a binary form
    fn serialize_f32(self, _: f32) -> Result<(), DecodeError> {
        Err(DecodeError::Invalid)
    }
    // tidy: float — as above
    fn serialize_f64(self, _: f64) -> Result<(), DecodeError> {
        Err(DecodeError::Invalid)
    }
    fn serialize_char(self, v: char) -> Result<(), DecodeError> {
        self.serialize_u32(u32::from(v))
    }
    fn serialize_str(self, v: &str) -> Result<(), DecodeError> {
        self.serialize_bytes(v.as_bytes())
    }
    fn serialize_bytes(self, v: &[u8]) -> Result<(), DecodeError> {
        self.length(v.len());
        self.sink.put(v);
        Ok(())
    }
    fn serialize_none(self) -> Result<(), DecodeError> {
        self.serialize_u8(0)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, v: &T) -> Result<(), DecodeError> {
        self.sink.put(&[1]);
        v.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), DecodeError> {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), DecodeError> {
        Ok(())
    }
    fn serialize_unit_variant(self, _: &'static str, n: u32, _: &'static str) -> Result<(), DecodeError> {
        self.variant(n);
        Ok(())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, v: &T) -> Result<(), DecodeError> {
        v.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        n: u32,
        _: &'static str,
        v: &T,
    ) -> Result<(), DecodeError> {
        self.variant(n);
        v.serialize(self)
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<Self, DecodeError> {
        self.length(len.ok_or(DecodeError::Invalid)?);
        Ok(self)
    }
    fn serialize_tuple(self, _: usize) -> Result<Self, DecodeError> {
        Ok(self)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, DecodeError> {
        Ok(self)
    }
    fn serialize_tuple_variant(self, _: &'static str, n: u32, _: &'static str, _: usize) -> Result<Self, DecodeError> {
        self.variant(n);
        Ok(self)
    }
    fn serialize_map(self, len: Option<usize>) -> Result<Self, DecodeError> {
        self.serialize_seq(len)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, DecodeError> {
        Ok(self)
    }
    fn serialize_struct_variant(self, _: &'static str, n: u32, _: &'static str, _: usize) -> Result<Self, DecodeError> {
        self.variant(n);
        Ok(self)
    }
}

macro_rules! write_compound {
    ($($trait:ident $method:ident),*) => { $(
        impl<S: Sink> ser::$trait for &mut Writer<'_, S> {
            type Ok = ();
            type Error = DecodeError;
            fn $method<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<(), DecodeError> {
                v.serialize(&mut **self)
            }
            fn end(self) -> Result<(), DecodeError> {
                Ok(())
            }
        }
    )* };
}

write_compound!(SerializeSeq serialize_element, SerializeTuple serialize_element);
write_compound!(SerializeTupleStruct serialize_field, SerializeTupleVariant serialize_field);

impl<S: Sink> ser::SerializeMap for &mut Writer<'_, S> {
    type Ok = ();
    type Error = DecodeError;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, k: &T) -> Result<(), DecodeError> {
        k.serialize(&mut **self)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<(), DecodeError> {
        v.serialize(&mut **self)
    }
    fn end(self) -> Result<(), DecodeError> {
        Ok(())
    }
}

macro_rules! write_fields {
    ($($trait:ident),*) => { $(
        impl<S: Sink> ser::$trait for &mut Writer<'_, S> {
            type Ok = ();
            type Error = DecodeError;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, v: &T) -> Result<(), DecodeError> {
                v.serialize(&mut **self)
            }
            fn end(self) -> Result<(), DecodeError> {
                Ok(())
            }
        }
    )* };
}

write_fields!(SerializeStruct, SerializeStructVariant);

struct Reader<'de> {
    bytes: &'de [u8],
}

impl<'de> Reader<'de> {
    fn take(&mut self, n: usize) -> Result<&'de [u8], DecodeError> {
        let (taken, rest) = self.bytes.split_at_checked(n).ok_or(DecodeError::Short)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        self.take(N)?.try_into().map_err(|_| DecodeError::Short)
    }

    /// A length that the bytes left can hold: every element takes at least one byte.
    fn length(&mut self) -> Result<usize, DecodeError> {
        let n = usize::try_from(u32::from_le_bytes(self.array()?)).map_err(|_| DecodeError::Invalid)?;
        if n > self.bytes.len() { Err(DecodeError::Short) } else { Ok(n) }
    }
}

macro_rules! read_int {
    ($($name:ident $visit:ident $int:ty),*) => { $(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            visitor.$visit(<$int>::from_le_bytes(self.array()?))
        }
    )* };
}

macro_rules! read_none {
    ($($name:ident),*) => { $(
        fn $name<V: Visitor<'de>>(self, _: V) -> Result<V::Value, DecodeError> {
            Err(DecodeError::Invalid)
        }
    )* };
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = DecodeError;

    read_int!(deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32);
    read_int!(deserialize_i64 visit_i64 i64, deserialize_i128 visit_i128 i128, deserialize_u8 visit_u8 u8);
    read_int!(deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64);
    read_int!(deserialize_u128 visit_u128 u128);
    read_none!(deserialize_any, deserialize_f32, deserialize_f64, deserialize_identifier, deserialize_ignored_any);

    fn is_human_readable(&self) -> bool {
        false
    }
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.array()? {
            [0] => visitor.visit_bool(false),
            [1] => visitor.visit_bool(true),
            _ => Err(DecodeError::Invalid),
        }
    }
    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_char(char::from_u32(u32::from_le_bytes(self.array()?)).ok_or(DecodeError::Invalid)?)
    }
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let n = self.length()?;
        visitor.visit_borrowed_str(core::str::from_utf8(self.take(n)?).map_err(|_| DecodeError::Invalid)?)
    }
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let n = self.length()?;
        visitor.visit_borrowed_bytes(self.take(n)?)
    }
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_bytes(visitor)
    }
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.array()? {
            [0] => visitor.visit_none(),
            [1] => visitor.visit_some(self),
            _ => Err(DecodeError::Invalid),
        }
    }
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let left = self.length()?;
        visitor.visit_seq(Elements { reader: self, left })
    }
    fn deserialize_tuple<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_seq(Elements { reader: self, left })
    }
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_tuple(left, visitor)
    }
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let left = self.length()?;
        visitor.visit_map(Elements { reader: self, left })
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_tuple(fields.len(), visitor)
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_enum(self)
    }
}

struct Elements<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: usize,
}

impl<'de> de::SeqAccess<'de> for Elements<'_, 'de> {
    type Error = DecodeError;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DecodeError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.reader).map(Some)
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> de::MapAccess<'de> for Elements<'_, 'de> {
    type Error = DecodeError;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        de::SeqAccess::next_element_seed(self, seed)
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        seed.deserialize(&mut *self.reader)
    }
}

impl<'de> de::EnumAccess<'de> for &mut Reader<'de> {
    type Error = DecodeError;
    type Variant = Self;
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), DecodeError> {
        let number = u32::from(u16::from_le_bytes(self.array()?));
        let value = seed.deserialize(IntoDeserializer::<DecodeError>::into_deserializer(number))?;
        Ok((value, self))
    }
}

impl<'de> de::VariantAccess<'de> for &mut Reader<'de> {
    type Error = DecodeError;
    fn unit_variant(self) -> Result<(), DecodeError> {
        Ok(())
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, DecodeError> {
        seed.deserialize(self)
    }
    fn tuple_variant<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, DecodeError> {
        de::Deserializer::deserialize_tuple(self, left, visitor)
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        de::Deserializer::deserialize_tuple(self, fields.len(), visitor)
    }
}

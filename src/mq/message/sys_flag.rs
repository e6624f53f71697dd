//! Bits of a record's sys flag. Source: `MessageSysFlag`.

/// The body is a zlib stream.
pub const COMPRESSED: i32 = 1;
/// The topic has several tags a message; never read.
pub const MULTI_TAGS: i32 = 2;
/// No transaction.
pub const TRANSACTION_NOT: i32 = 0;
/// A half message.
pub const TRANSACTION_PREPARED: i32 = 4;
/// A committed transaction's message.
pub const TRANSACTION_COMMIT: i32 = 8;
/// A rolled-back transaction's message.
pub const TRANSACTION_ROLLBACK: i32 = 12;

/// The transaction bits alone. Source: `MessageSysFlag.getTransactionValue`.
pub fn transaction_type(flag: i32) -> i32 {
    flag & TRANSACTION_ROLLBACK
}

/// The flag with other transaction bits. Source: `MessageSysFlag.resetTransactionValue`.
pub fn with_transaction_type(flag: i32, kind: i32) -> i32 {
    (flag & !TRANSACTION_ROLLBACK) | kind
}

/// The flag without the compression bit. Source: `MessageSysFlag.clearCompressedFlag`.
pub fn without_compressed(flag: i32) -> i32 {
    flag & !COMPRESSED
}

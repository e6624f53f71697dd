//! Bits of a record's sys flag and of a pull's. Source: `MessageSysFlag`, `PullSysFlag`.

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

/// A pull's flag. Source: `PullSysFlag`.
pub mod pull {
    /// The pull carries an offset to commit.
    pub const COMMIT_OFFSET: i32 = 1;
    /// The broker may hold it.
    pub const SUSPEND: i32 = 2;
    /// It carries its subscription.
    pub const SUBSCRIPTION: i32 = 4;
    /// A filter class is used.
    pub const CLASS_FILTER: i32 = 8;

    /// The flag with these bits. Source: `PullSysFlag.buildSysFlag`.
    pub fn build(commit_offset: bool, suspend: bool, subscription: bool, class_filter: bool) -> i32 {
        let bit = |set: bool, bit: i32| if set { bit } else { 0 };
        bit(commit_offset, COMMIT_OFFSET)
            | bit(suspend, SUSPEND)
            | bit(subscription, SUBSCRIPTION)
            | bit(class_filter, CLASS_FILTER)
    }

    /// The flag without an offset to commit. Source: `PullSysFlag.clearCommitOffsetFlag`.
    pub fn without_commit_offset(flag: i32) -> i32 {
        flag & !COMMIT_OFFSET
    }
}

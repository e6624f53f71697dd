//! Drawings as plain data: what a trace says, for every pen to draw.

pub mod lanes;

pub mod lines;

pub mod story;

pub mod moments;

pub mod spans;

pub mod why;

pub mod why_not;

pub mod conditions;

pub mod followed;

pub mod differences;

pub mod prints;

pub mod operator;

pub mod life;

pub mod width;

pub mod backstage;

pub mod disk;

pub mod ledger;

pub mod owners;

pub mod queues;

pub mod scene;

pub mod sheet;

pub mod storage;

pub mod tabs;

pub mod samples;

pub mod transactions;

pub mod checks;

pub mod counts;

pub mod cluster;

pub mod messages;

#!/bin/bash
# A hunt with GNU parallel: on this machine, or on those that PARALLEL_FLAGS name.
#
#   hunt.sh                                            8 parts of 26-hunt, the seeds 0..10000, here
#   SEEDS=0..1000000 SHARDS=64 hunt.sh                 more of it; what is there already is not run again
#   PARALLEL_FLAGS="--sshlogin a,b --wd ..." hunt.sh   elsewhere; RESULTS must be a folder that all see, mqlab on each PATH
set -euo pipefail

MQLAB=${MQLAB:-mqlab}
SCENARIO=${SCENARIO:-26-hunt}
SEEDS=${SEEDS:-0..10000}
SHARDS=${SHARDS:-8}
RESULTS=${RESULTS:-results}
JOBS=${JOBS:-100%} # parts at a time; each takes one thread
FLAGS=${FLAGS:-}   # e.g. "--profile hardened --within"
MERGE_FLAGS=${MERGE_FLAGS:-}
PARALLEL_FLAGS=${PARALLEL_FLAGS:-}

command -v parallel >/dev/null || { echo "hunt.sh: GNU parallel is not installed" >&2; exit 127; }
mkdir -p "$RESULTS"
# PARALLEL_SEQ says which part: parallel counts its jobs from 1. The part's number itself is not among the words.
# A part that cannot be run does not keep the others from it: the merge says what is missing.
# shellcheck disable=SC2086 # flags are words
seq "$SHARDS" | parallel --will-cite -j "$JOBS" --joblog "$RESULTS/joblog" $PARALLEL_FLAGS -n1 \
  ": {}; $(printf '%q' "$MQLAB") hunt $(printf '%q' "$SCENARIO") --seeds $SEEDS --shards $SHARDS -j 1 --out $(printf '%q' "$RESULTS")/ $FLAGS" \
  >"$RESULTS/log" || echo "hunt.sh: some parts have ended with an error: $RESULTS/joblog" >&2
# shellcheck disable=SC2086
exec "$MQLAB" hunt merge "$RESULTS" $MERGE_FLAGS

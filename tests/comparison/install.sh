#!/bin/sh
# Installs the tools that are compared into target/peers, or into the folder that MIGRATE_PEERS names.
set -eu
cd "$(dirname "$0")"
peers=${MIGRATE_PEERS:-$PWD/../../target/peers}
mkdir -p "$peers"
export CARGO_TARGET_DIR="$peers/target"
[ -x "$peers/venv/bin/alembic" ] || python3 -m venv "$peers/venv"
"$peers/venv/bin/pip" install -q 'alembic==1.20.1' 'psycopg[binary]'
has() { [ -x "$peers/bin/$1" ]; }
has sqlx || cargo install sqlx-cli --locked --version 0.9.0 --no-default-features --features rustls,postgres --root "$peers"
has refinery || cargo install refinery_cli --version 0.10.0 --no-default-features --features postgresql --root "$peers"
has diesel || cargo install diesel_cli --version 2.3.14 --no-default-features --features postgres --root "$peers"
has sea-orm || cargo install --path sea-orm --root "$peers"

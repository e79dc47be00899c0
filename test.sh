#!/bin/sh
# Runs all tests against one PostgreSQL server, which is started for them and gone afterwards.
#
#   ./test.sh [ARGUMENT…]                     arguments go to `cargo test`: ./test.sh --test infrastructure
#   MIGRATE_TEST_PG_BIN=DIRECTORY             take `initdb` and `postgres` from there
#   MIGRATE_TEST_PG_URL=URL                   use this running server, as a superuser; with MIGRATE_TEST_PG_LOG=PATH
#   MIGRATE_TEST_PG_VERSIONS="13 18"          run the tests that look at versions on these as well; needs npm
set -eu
cd "$(dirname "$0")"

server_found() {
    [ -n "${MIGRATE_TEST_PG_URL:-}" ] || [ -n "${MIGRATE_TEST_PG_BIN:-}" ] || command -v initdb >/dev/null && return
    for initdb in /usr/lib/postgresql/*/bin/initdb; do
        [ -x "$initdb" ] && return
    done
    return 1
}

pooler_found() {
    PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v pgbouncer >/dev/null
}

install() {
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" = 0 ]; then
        as_root=
    else
        sudo -n true 2>/dev/null || return 1
        as_root="sudo -n"
    fi
    echo "test.sh: installing $1" >&2
    # The packages may start a server of their own; the tests use only its programs.
    $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y "$1"
}

if ! server_found && ! { install postgresql >&2 && server_found; }; then
    cat >&2 <<'MESSAGE'
test.sh: no PostgreSQL server found, and none could be installed
help: install one (Debian and Ubuntu: `apt-get install postgresql`), or set MIGRATE_TEST_PG_BIN to a directory with
      `initdb` and `postgres`, or set MIGRATE_TEST_PG_URL to a superuser's URL of a running server
MESSAGE
    exit 1
fi

if ! pooler_found && ! { install pgbouncer >&2 && pooler_found; }; then
    echo "test.sh: no PgBouncer found, and none could be installed: its tests will fail" >&2
    echo "help: install it (Debian and Ubuntu: \`apt-get install pgbouncer\`)" >&2
fi

# A test target is among what is built so that features are unified as the tests have them: nothing is built twice.
cargo build --workspace --all-features --bin test-server --test infrastructure
target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
exec "$target/debug/test-server" cargo test --workspace --all-features "$@"

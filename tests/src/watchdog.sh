# Runs one PostgreSQL cluster for as long as the process that asked for it lives. That process holds the other end of
# standard input, which the kernel closes for it however it ends: return, panic, SIGTERM or SIGKILL.
#
# Arguments: the cluster's directory, the directory of initdb and postgres, then the arguments for postgres.
trap '' HUP INT TERM
directory=$1
binaries=$2
shift 2

cd "$directory" || exit 1
if "$binaries/initdb" --pgdata=data --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync \
    </dev/null >initdb.log 2>&1
then
    "$binaries/postgres" -D data "$@" </dev/null >>server.log 2>&1 &
    server=$!
else
    mv initdb.log initdb.failed
fi

cat >/dev/null

if [ -n "$server" ]; then
    # Nobody needs the data any more, so the shutdown may be the immediate one. A server that has only just been forked
    # still ignores the signal: it gets it until it is gone.
    while kill -QUIT "$server" 2>/dev/null; do
        sleep 0.05
    done
    wait "$server"
fi
cd /
rm -rf -- "$directory"

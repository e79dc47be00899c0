# Runs one PostgreSQL cluster for as long as the process that asked for it lives. That process holds the other end of
# standard input, which the kernel closes for it however it ends: return, panic, SIGTERM or SIGKILL.
#
# A line on standard input is an order: `crash` stops the server at once, as `pg_ctl stop -m immediate` does, and `start`
# starts it again on the same data.
#
# Arguments: the cluster's directory, the directory of initdb and postgres, then the arguments for postgres.
trap '' HUP INT TERM
directory=$1
binaries=$2
shift 2

start() {
    "$binaries/postgres" -D data "$@" </dev/null >>server.log 2>&1 &
    server=$!
}

# A server that has only just been forked still ignores the signal: it gets it until it is gone.
stop() {
    while kill -QUIT "$server" 2>/dev/null; do
        sleep 0.05
    done
    wait "$server"
    server=
}

cd "$directory" || exit 1
if "$binaries/initdb" --pgdata=data --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync \
    </dev/null >initdb.log 2>&1
then
    start "$@"
else
    mv initdb.log initdb.failed
fi

while read -r order; do
    case $order in
        crash) stop ;;
        start) start "$@" ;;
    esac
done

# Nobody needs the data any more, so the shutdown may be the immediate one.
if [ -n "$server" ]; then
    stop
fi
cd /
rm -rf -- "$directory"

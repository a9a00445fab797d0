# Ends the daemons when the package has gone: a part of its scripts, in Debian's and RPM's alike.
# One that another root directory or container has is not ours.
for lock in /run/tocsin/*/lock; do
    if [ ! -e "$lock" ] || flock --shared --nonblock "$lock" true; then
        continue # nobody holds it
    fi
    pid=$(cat "$lock")
    if [ "/proc/$pid/root" -ef / ] && grep -qsz '^/usr/bin/tocsind$' "/proc/$pid/cmdline"; then
        kill -TERM "$pid" 2>/dev/null || true
    fi
done

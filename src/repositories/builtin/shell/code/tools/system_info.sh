# Tells where this agent runs. What a system does not know is left out.
name=$(sed -n 's/^PRETTY_NAME="\{0,1\}\([^"]*\).*/\1/p' /etc/os-release 2>/dev/null)
echo "system:  ${name:-unknown}"
echo "kernel:  $(uname -srm)"
echo "host:    $(uname -n)"
echo "user:    $(id -un 2>/dev/null || id -u) ($(id -u):$(id -g))"
[ -r /proc/loadavg ] && echo "load:    $(cut -d ' ' -f 1-3 /proc/loadavg)"
[ -r /proc/meminfo ] && echo "memory:  $(sed -n 's/^MemAvailable: *//p' /proc/meminfo) available of $(sed -n 's/^MemTotal: *//p' /proc/meminfo)"
echo 'disk:'
df -h / 2>/dev/null
exit 0

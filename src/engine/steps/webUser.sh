# Sets $u to the user of the running web server, see webUser.ts.
# processes: `PID PARENT IS_ROOT USER NAME` of each, but for those in containers.
processes() {
  if [ -r /proc/self/status ]; then
    cat /proc/[0-9]*/status 2>/dev/null | awk '
      function end() { if (name != "" && !inside) print pid, parent, root, uid, name }
      /^Name:/ { end(); name = $0; sub(/^Name:[ \t]*/, "", name); inside = 0 }
      /^Pid:/ { pid = $2 } /^PPid:/ { parent = $2 }
      /^Uid:/ { uid = $3; root = $2 == 0 && $3 == 0 && $4 == 0 && $5 == 0 }
      /^NSpid:/ { inside = NF > 2 }
      END { end() }'
  else
    ps -axo pid=,ppid=,ruid=,uid=,comm= 2>/dev/null | awk '{ name = $5; sub(/.*\//, "", name); print $1, $2, $3 == 0 && $4 == 0, $4, name }'
  fi
}
u='' by=''
while read -r pid uid name master; do
  if [ "$master" = 1 ] || grep -q ":/system\.slice/$name\(@[^/]*\)\{0,1\}\.service\(/\|\$\)" "/proc/$pid/cgroup" 2>/dev/null; then u=$uid by=$name; break; fi
done <<PROCESSES
$(processes | awk '
  { name[$1] = $5; root[$1] = $3; if ($4 != 0 && NF == 5 && $5 ~ /^(apache2?|httpd|nginx|php-fpm[0-9.]*|caddy|lighttpd)$/) { parent[$1] = $2; uid[$1] = $4 } }
  END { for (pid in uid) print pid, uid[pid], name[pid], (name[parent[pid]] == name[pid] && root[parent[pid]]) + 0 }' | sort -n)
PROCESSES
if [ -n "$u" ]; then
  name=$({ getent passwd "$u" || cat /etc/passwd; } 2>/dev/null | awk -F: -v uid="$u" '$3 == uid { print $1; exit }')
  u=${name:-$u}
else
  u=$(awk -F: '$1 == "www-data" || $1 == "_www" || $1 == "nginx" || $1 == "apache" { print $1; exit }' /etc/passwd 2>/dev/null)
fi
[ -n "$u" ] || { echo 'The web server user could not be found out; set http_user in durant.conf.' >&2; exit 1; }
echo "web-user $u $by"

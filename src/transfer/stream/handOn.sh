# Sends files of this server to another one by ssh, with the agent that is forwarded here. Standard input is their names, as in a manifest,
# and a blank line; its end later on means that nobody waits for this any more. Nothing of the ssh settings of user and system plays a part:
# the one host key is told by a command, as a file would have to be removed again. Needs paths.sh and a folder $W.
: "${folder?}" "${user?}" "${host?}" "${port?}" "${known?}" "${algorithms?}" "${unpack?}"
exec 3<&0
[ -S "$SSH_AUTH_SOCK" ] || exit 71
command -v ssh >/dev/null 2>&1 || exit 72
TAR=tar; command -v tar >/dev/null 2>&1 || TAR=bsdtar
$TAR -cf - --no-recursion --null -T /dev/null >/dev/null 2>&1 || exit 73
sed -n '/^$/q;p' >"$W/list" && cd "$folder" || exit 1
nul "$W/list" >"$W/names"
$TAR -cf - --no-recursion --null -T "$W/names" | ssh -F /dev/null -T -o BatchMode=yes -o StrictHostKeyChecking=yes \
  -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null -o HostKeyAlias=durant \
  -o "KnownHostsCommand=/usr/bin/env echo durant $known" -o "HostKeyAlgorithms=$algorithms" -o UpdateHostKeys=no -o CheckHostIP=no \
  -o PreferredAuthentications=publickey -o IdentityFile=none -o ForwardAgent=no -o ControlPath=none \
  -o ConnectTimeout=10 -o ServerAliveInterval=10 -o ServerAliveCountMax=3 -o LogLevel=ERROR \
  -l "$user" -p "$port" -- "$host" "$unpack" >/dev/null & ssh=$!
{ read -r _ <&3; kill $ssh; } >/dev/null 2>&1 & watch=$!
wait $ssh; status=$?
kill $watch 2>/dev/null
exit $status

# receive: unpacks the transfer's stream, the standard input, into $I/in; $decompress is a command, or empty.
: "${decompress?}"
receive() {
  if [ -n "$decompress" ]; then $decompress | $TAR -xpof - -C "$I/in"; else $TAR -xpof - -C "$I/in"; fi
}

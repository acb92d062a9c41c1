#!/usr/bin/env bash
# A terminal of mosquitto_rr, mosquitto_pub, mosquitto_sub and jq, MQTT 5: scans codes, buys one of
# each, reminds the customer once.
set -u
host=$1 port=$2 name=$3
shift 3
root=storebus/1/main account=C-1001
new_id() { cat /proc/sys/kernel/random/uuid; }
boot=$(new_id) since=$(date -u +%FT%TZ)
kept=$name.kept       # what must survive a restart:
mkdir -p "$kept/open" # each open purchase, a file named by its id,
touch "$kept/shown"   # and the ids of the reminders that were shown
style='.scanned as $sku | [.product.styles[] | select($sku == null or .sku == $sku)][0]'

presence() { # online | offline | lost: what is retained of this start
  jq -cn --arg id "$(new_id)" --arg status "$1" --arg boot "$boot" --arg since "$since" \
    '{$id, data: {$status, $boot, $since}}'
}

say() { # TOPIC MESSAGE [OPTION...]
  mosquitto_pub -V mqttv5 -h "$host" -p "$port" -q 1 -t "$root/$1" -m "$2" "${@:3}"
}

show() { # online | offline
  say "state/$name/presence" "$(presence "$1")" -r
}

keep() { # FILE CONTENT: after a power cut there is the whole file or none
  printf '%s\n' "$2" >"$1.new" && sync "$1.new" && mv "$1.new" "$1"
}

ask() { # CALLEE/OPERATION QOS REQUEST: again with the same id until it is answered
  local pause=2 reply id next
  id=$(jq -r .id <<<"$3")
  while :; do
    kill -0 $$ 2>/dev/null || return # the script was killed: this is what is left of it
    next=$((SECONDS + pause))
    # It ends with the first message on the reply topic, whosesoever reply that is, or with none;
    # one that says "not now", or is broken, is none, too.
    reply=$(mosquitto_rr -V mqttv5 -h "$host" -p "$port" -q "$2" -W "$pause" -R --quiet \
      -t "$root/req/$name/$1" -e "$root/rep/$name/$1" -m "$3" |
      jq -ce --arg id "$id" 'select(.correlationid == $id and .data.retryable != true and
        (.data | .status and .code or .product or .pickup_code))' 2>/dev/null)
    [ -z "$reply" ] || break
    ((SECONDS >= next)) || sleep $((next - SECONDS))
    pause=$((pause < 15 ? 2 * pause : 30))
  done
  printf '%s\n' "$reply"
}

scan() { # CODE: find it, and buy one piece within a minute by the store's clock
  local reply id deadline
  reply=$(ask catalog/lookup 0 "$(jq -cn --arg id "$(new_id)" --arg code "$1" \
    '{$id, data: {$code}}')") || exit
  refused "$reply" && return
  jq -r ".data | $style"' | "scanned \(.sku) \(.price.amount) \(.price.currency), \(.available) left"' \
    <<<"$reply"
  id=$(new_id)
  deadline=$(date -u -d "$(jq -r .time <<<"$reply") + 60 seconds" +%FT%TZ)
  # Kept before it is sent: after a crash it must be the same request.
  keep "$kept/open/$id" "$(jq -c --arg id "$id" --arg deadline "$deadline" --arg account "$account" \
    ".data | $style"' | {$id, expirytime: $deadline, data: {lines: [{sku, quantity: 1}],
      expected_total: .price, payment: {method: "account", $account}}}' <<<"$reply")"
  finish "$kept/open/$id"
}

finish() { # FILE: ask for a purchase until it is bought or refused
  local reply
  reply=$(ask settlement/purchase 1 "$(<"$1")") || exit
  refused "$reply" || jq -r '.data | "bought \(.order) pickup code \(.pickup_code)"' <<<"$reply"
  rm -f "$1"
}

refused() { # REPLY
  jq -er '.data | select(.status) | "refused \(.status) \(.code): \(.detail)"' <<<"$1"
}

hear() { # LINE of mosquitto_sub: who speaks is said by the topic alone
  local document retained kind caller operation id
  document=$(jq -ce '.payload | fromjson | objects | select(.id | strings)' <<<"$1" 2>/dev/null) || return
  IFS=$'\t' read -r retained kind caller operation id < <(
    jq -r --argjson it "$document" --arg root "$root/" '
      [.retain, (.topic | ltrimstr($root) | split("/") | .[0, 1, 3]), $it.id]
      | map(strings // numbers // "-" | tostring | if . == "" then "-" else . end) | @tsv' <<<"$1"
  ) || return
  if [ "$kind" = state ]; then
    # The last will of a connection of ours that was lost: but we are here.
    [ "$(jq -r '.data | .status + .boot' <<<"$document")" != "lost$boot" ] || show online
  elif [ "$retained" = 1 ]; then
    return
  elif [ "$caller/$operation" = settlement/remind ]; then
    remind "$id" "$document"
  elif [ "$operation" = ping ] || [ "$operation" = about ]; then # the same says all of both
    say "rep/$caller/$name/$operation" "$(jq -cn --arg id "$id" --arg node "$name" \
      --arg boot "$boot" --arg since "$since" '{$id, data: {$node, role: "terminal", $boot, $since,
      version: "1", operations: ["remind"], counts: {}, outbox: 0}}')"
  fi
}

remind() { # ID REQUEST: show it unless it was shown; either way say that it is
  local line
  if ! grep -qxF -e "$1" "$kept/shown"; then
    line=$(jq -er '.data | [.order, .pickup_point_name, .pickup_code] | map(strings | select(. != ""))
      | select(length == 3) | "remind " + join(" ")' <<<"$2") || return
    printf '%s\n' "$line"
    keep "$kept/shown" "$(tail -n 999 "$kept/shown" && echo "$1")"
  fi
  say "rep/settlement/$name/remind" "$(jq -cn --arg id "$1" '{$id, data: {shown: true}}')"
}

listen() { # mosquitto_sub ends with this script, and connects again by itself
  exec 3< <(exec setpriv --pdeathsig KILL mosquitto_sub -V mqttv5 -h "$host" -p "$port" \
    -i "main-$name" -k 15 -q 1 -F %j -t "$root/req/+/$name/+" -t "$root/state/$name/presence" \
    --will-topic "$root/state/$name/presence" --will-payload "$(presence lost)" \
    --will-qos 1 --will-retain)
  listener=$!
}

goodbye() {
  show offline
  kill "$listener" "$customer" 2>/dev/null
  exit 0
}

trap goodbye TERM INT
listen
show online
{ # beside, so that who is reminded need not wait until somebody else has paid
  for file in "$kept"/open/*-????????????; do
    [ ! -f "$file" ] || finish "$file"
  done
  for code; do scan "$code"; done
} &
customer=$!
shown=$SECONDS
while :; do
  # A broker that was restarted has forgotten that we are here.
  if ((SECONDS >= shown + 30)) && show online; then shown=$SECONDS; fi
  read -r -t 1 -u 3 line && hear "$line" && continue
  kill -0 "$listener" 2>/dev/null || { sleep 1 && listen && show online; }
done

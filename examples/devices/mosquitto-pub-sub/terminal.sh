#!/usr/bin/env bash
# A terminal of mosquitto_pub, mosquitto_sub and jq, MQTT 3.1.1: scans codes, buys one of each,
# reminds the customer once.
set -u
host=$1 port=$2 name=$3
shift 3
root=storebus/1/main account=C-1001
new_id() { cat /proc/sys/kernel/random/uuid; }
boot=$(new_id) since=$(date -u +%FT%TZ)
kept=$name.kept                  # what must survive a restart:
mkdir -p "$kept/open"            # each open purchase, a file named by its id,
touch "$kept/shown"              # and the ids of the reminders that were shown
declare -A topic qos message due pause # by id, the requests that wait for an answer

say() { # TOPIC MESSAGE [OPTION...]
  mosquitto_pub -V mqttv311 -h "$host" -p "$port" -q 1 -t "$root/$1" -m "$2" "${@:3}"
}

presence() { # online | offline | lost: what is retained of this start
  jq -cn --arg id "$(new_id)" --arg status "$1" --arg boot "$boot" --arg since "$since" \
    '{$id, data: {$status, $boot, $since}}'
}

show() { # online | offline
  say "state/$name/presence" "$(presence "$1")" -r
}

keep() { # FILE CONTENT: after a power cut there is the whole file or none
  printf '%s\n' "$2" >"$1.new" && sync "$1.new" && mv "$1.new" "$1"
}

ask() { # CALLEE/OPERATION QOS REQUEST: now, and again with the same id until it is answered
  local id
  id=$(jq -r .id <<<"$3")
  topic[$id]=req/$name/$1 qos[$id]=$2 message[$id]=$3 due[$id]=0 pause[$id]=1
}

send_what_is_due() { # each request whose pause is over; the pause doubles up to 30 seconds
  local id
  for id in "${!topic[@]}"; do
    if ((SECONDS >= due[$id])) && say "${topic[$id]}" "${message[$id]}" -q "${qos[$id]}"; then
      due[$id]=$((SECONDS + pause[$id] + RANDOM % (1 + pause[$id] / 4)))
      pause[$id]=$((pause[$id] < 15 ? 2 * pause[$id] : 30))
    fi
  done
}

hear() { # LINE of mosquitto_sub: who speaks is said by the topic alone
  local document retained kind caller callee operation id asked
  document=$(jq -ce '.payload | fromjson | objects | select(.id | strings)' <<<"$1" 2>/dev/null) || return
  IFS=$'\t' read -r retained kind caller callee operation id asked < <(
    jq -r --argjson it "$document" --arg root "$root/" '
      [.retain, (.topic | ltrimstr($root) | split("/") | .[0, 1, 2, 3]), $it.id, $it.correlationid]
      | map(strings // numbers // "-" | tostring | if . == "" then "-" else . end) | @tsv' <<<"$1"
  ) || return
  if [ "$kind/$caller/$callee" = "state/$name/presence" ]; then
    case $(jq -r '.data | .status + .boot' <<<"$document") in
      "lost$boot") show online ;; # the last will of a connection of ours: but we are here
      "online$boot") listening=1 ;; # what is answered from now on is heard
    esac
  elif [ "$retained" = 1 ]; then
    return
  elif [ "$kind" = rep ]; then
    [ "${topic[$asked]-}" != "req/$name/$callee/$operation" ] ||
      answered "$operation" "$asked" "$document"
  elif [ "$caller/$operation" = settlement/remind ]; then
    remind "$id" "$document"
  elif [ "$operation" = ping ] || [ "$operation" = about ]; then # the same says all of both
    say "rep/$caller/$name/$operation" "$(jq -cn --arg id "$id" --arg node "$name" \
      --arg boot "$boot" --arg since "$since" '{$id, data: {$node, role: "terminal", $boot, $since,
      version: "1", operations: ["remind"], counts: {}, outbox: 0}}')"
  fi
}

answered() { # OPERATION ID REPLY
  local line
  # Nothing comes out of a reply that says "not now", or is broken: the request goes out again.
  line=$(jq -er --arg operation "$1" '.data | if .retryable == true then empty
    elif .status then "refused \(.status) \(.code): \(.detail)"
    elif $operation == "purchase" then "bought \(.order | strings) pickup code \(.pickup_code | strings)"
    else .scanned as $sku | [.product.styles[] | select($sku == null or .sku == $sku)][0]
      | "scanned \(.sku) \(.price.amount) \(.price.currency), \(.available) left" end' <<<"$3") || return
  printf '%s\n' "$line"
  [ "$1" != lookup ] || [[ $line = refused* ]] || buy "$3"
  unset "topic[$2]"
  rm -f "$kept/open/$2"
}

buy() { # REPLY of a lookup: one piece, within a minute by the store's clock, for ours may be wrong
  local id request deadline
  id=$(new_id)
  deadline=$(date -u -d "$(jq -r .time <<<"$1") + 60 seconds" +%FT%TZ)
  request=$(jq -c --arg id "$id" --arg deadline "$deadline" --arg account "$account" '.data
    | .scanned as $sku | [.product.styles[] | select($sku == null or .sku == $sku)][0]
    | {$id, expirytime: $deadline, data: {lines: [{sku, quantity: 1}], expected_total: .price,
       payment: {method: "account", $account}}}' <<<"$1")
  keep "$kept/open/$id" "$request" # before it is sent: after a crash it must be the same request
  ask settlement/purchase 1 "$request"
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
  exec 3< <(exec setpriv --pdeathsig KILL mosquitto_sub -V mqttv311 -h "$host" -p "$port" \
    -i "main-$name" -k 15 -q 1 -F %j -t "$root/rep/$name/+/+" -t "$root/req/+/$name/+" \
    -t "$root/state/$name/presence" --will-topic "$root/state/$name/presence" \
    --will-payload "$(presence lost)" --will-qos 1 --will-retain)
  listener=$!
}

goodbye() {
  show offline
  kill "$listener" 2>/dev/null
  exit 0
}

trap goodbye TERM INT
listen
for file in "$kept"/open/*-????????????; do
  [ ! -f "$file" ] || ask settlement/purchase 1 "$(<"$file")"
done
for code; do
  ask catalog/lookup 0 "$(jq -cn --arg id "$(new_id)" --arg code "$code" '{$id, data: {$code}}')"
done
shown=0 listening=0
while :; do
  # A broker that was restarted has forgotten that we are here.
  if ((SECONDS >= shown)) && show online; then shown=$((SECONDS + 30)); fi
  ((listening)) && send_what_is_due
  read -r -t 1 -u 3 line && hear "$line" && continue
  kill -0 "$listener" 2>/dev/null || { listening=0 && shown=0 && sleep 1 && listen; }
done

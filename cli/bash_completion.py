"""Bash completion for words that contain `=` and `:`.

Bash treats both as the end of a word, and Typer's own script passes on the pieces. This script
passes on words as they were typed, and returns only what follows the last `=` or `:`. It adds no
space after a word that must continue.
"""

from typer import _completion_shared

_SCRIPT = r"""
%(complete_func)s() {
    local line="${COMP_LINE:0:COMP_POINT}" word words
    read -ra words <<< "$line"
    [[ "$line" == *[[:space:]] ]] && words+=("")
    word="${words[${#words[@]}-1]}"
    [[ "$word" == --*=* ]] && word="${word#*=}"
    local IFS=$'\n'
    COMPREPLY=( $( env COMP_WORDS="$line" COMP_CWORD=$(( ${#words[@]} - 1 )) \
                   %(autocomplete_var)s=complete_bash $1 ) )
    COMPREPLY=( "${COMPREPLY[@]#"${word%%"${word##*[=:]}"}"}" )
    if [[ ${#COMPREPLY[@]} == 1 && "${COMPREPLY[0]}" == *[=:/] ]]; then
        compopt -o nospace 2> /dev/null
    fi
    return 0
}

complete -o default -F %(complete_func)s %(prog_name)s
"""


def teach() -> None:
    """Make `--show-completion` and `--install-completion` use this script for bash."""
    _completion_shared._completion_scripts["bash"] = _SCRIPT  # noqa: SLF001 - no public way

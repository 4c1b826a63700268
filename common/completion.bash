
# Fills COMPREPLY with what may stand for one part of a placeholder.
_@PROGRAM@_part() # part, beginning, home, program as it was typed
{
    local found=()
    case $1 in
    @files) mapfile -t found < <(compgen -f -- "$2"); compopt -o filenames 2>/dev/null ;;
    @files:*)
        mapfile -t found < <(compgen -f -X "!*${1#@files:}" -- "$2"; compgen -d -- "$2")
        compopt -o filenames 2>/dev/null ;;
    @folders) mapfile -t found < <(compgen -d -- "$2"); compopt -o filenames 2>/dev/null ;;
    @programs) mapfile -t found < <(compgen -c -- "$2"; compgen -f -- "$2") ;;
    @studies) mapfile -t found < <(compgen -W "$("$4" list --names ${3:+--home="$3"} 2>/dev/null)" -- "$2") ;;
    @queries) mapfile -t found < <(compgen -W "$("$4" sql --queries 2>/dev/null | grep '^[^ ]')" -- "$2") ;;
    @commands) mapfile -t found < <(compgen -W "$commands" -- "$2") ;;
    *) mapfile -t found < <(compgen -W "$1" -- "$2") ;;
    esac
    COMPREPLY+=("${found[@]}")
}

_@PROGRAM@()
{
    local current=$2 command='' kind='' home='' count=0 only_words='' i word option
    local commands words options
    _@PROGRAM@_table ''
    # What stands before the cursor; bash takes "--home=x" for three words.
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == '=' ]]; then
            continue
        elif [[ -n $kind ]]; then
            [[ $kind == --home=* ]] && home=$word
            kind=''
        elif [[ $word == '--' ]]; then
            only_words=yes
        elif [[ $word == -?* && -z $only_words ]]; then
            for option in "${options[@]}"; do
                [[ $option == "$word="* ]] && kind=$option
            done
        elif [[ -z $command ]]; then
            command=$word
            _@PROGRAM@_table "$command"
        else
            ((count++))
        fi
    done
    COMPREPLY=()
    if [[ -n $kind ]]; then
        kind=${kind#*=}
    elif [[ $current == -* && -z $only_words ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${options[*]%%=*} --help" -- "$current")
        return
    elif [[ $count -lt ${#words[@]} ]]; then
        kind=${words[count]}
    elif [[ ${#words[@]} -gt 0 && ${words[-1]} == *... ]]; then
        kind=${words[-1]}
    fi
    kind=${kind%...}
    local IFS='|'
    for option in $kind; do
        IFS=$' \t\n' _@PROGRAM@_part "$option" "$current" "$home" "$1"
    done
}
complete -F _@PROGRAM@ @PROGRAM@


_@PROGRAM@_studies()
{
    local home=${(Q)opt_args[--home]}
    local studies=(${(f)"$(_call_program studies @PROGRAM@ list --names ${home:+--home=${(q)home}} 2>/dev/null)"})
    compadd -a studies
}

_@PROGRAM@_queries()
{
    local queries=(${(f)"$(_call_program queries @PROGRAM@ sql --queries 2>/dev/null)"})
    queries=(${queries:#[[:space:]]*})
    compadd -a queries
}

_@PROGRAM@()
{
    local curcontext=$curcontext state line
    _arguments -C '(- *)'{-h,--help}'[show what there is]' '(- *)--version[show the version]' \
        '1:command:_@PROGRAM@_commands' '*::argument:->argument' && return
    [[ $state == argument ]] && _@PROGRAM@_arguments $line[1]
}

# Called where it is loaded as a function, which zsh does at the first completion; else it was
# read by a shell that is to complete from now on.
if [[ $funcstack[1] == _@PROGRAM@ ]]; then
    _@PROGRAM@ "$@"
else
    compdef _@PROGRAM@ @PROGRAM@
fi

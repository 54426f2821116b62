//! `keyway completions`: what clap knows of the command line, and the ids of plugins, which `keyway list --ids` knows.
//!
//! The scripts are static. clap's own way to complete values while a program runs is not stable yet, so the few lines
//! that ask for ids are ours.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::{Args, Completions};
use crate::ending::Outcome;
use crate::terminal::Terminal;

/// The commands that take ids of plugins that are there.
const WITH_IDS: [&str; 9] = [
    "config",
    "disable",
    "enable",
    "permissions",
    "pin",
    "rollback",
    "uninstall",
    "unpin",
    "update",
];

pub(crate) fn run(command: &Completions, terminal: &Terminal) -> Outcome {
    terminal.text(&script(command.shell))
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "keyway", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        Shell::Bash => format!("{script}\n{}", bash()),
        Shell::Zsh => zsh(&script),
        Shell::Fish => format!("{script}\n{}", fish()),
        _ => script,
    }
}

/// The ids are added to what clap's function has found.
fn bash() -> String {
    format!(
        r#"_keyway_with_ids() {{
    _keyway "$@"
    local cur="${{COMP_WORDS[COMP_CWORD]}}" word
    [[ "${{cur}}" == -* ]] && return
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "${{word}}" in
            -*) ;;
            {})
                COMPREPLY+=( $(compgen -W "$(keyway list --ids 2>/dev/null)" -- "${{cur}}") )
                return ;;
            *) return ;;
        esac
    done
}}
complete -F _keyway_with_ids -o bashdefault -o default keyway
"#,
        WITH_IDS.join("|")
    )
}

/// The positional arguments that are plugins get a function of their own.
fn zsh(script: &str) -> String {
    let lines = script.lines().map(|line| {
        let is_plugin = ["plugin -- ", "plugins -- ", "key -- "]
            .iter()
            .any(|name| line.contains(&format!(":{name}")));
        match is_plugin {
            true => line.replace(":_default'", ":_keyway_ids'"),
            false => line.to_owned(),
        }
    });
    let lines: Vec<String> = lines.collect();
    let ids = r#"
_keyway_ids() {
    local -a ids
    ids=(${(f)"$(keyway list --ids 2>/dev/null)"})
    compadd -a ids
}
"#;
    // The function has to be there before the last lines, which run the completion.
    let whole = lines.join("\n");
    match whole.split_once("\n\n") {
        Some((head, rest)) => format!("{head}\n{ids}\n{rest}\n"),
        None => format!("{whole}\n{ids}"),
    }
}

fn fish() -> String {
    let line = |command: &&str| {
        format!(
            "complete -c keyway -n \"__fish_keyway_using_subcommand {command}\" -f -a \"(keyway list --ids 2>/dev/null)\"\n"
        )
    };
    WITH_IDS.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_that_take_ids_are_those_that_clap_knows() {
        let command = Args::command();
        for name in WITH_IDS {
            assert!(command.find_subcommand(name).is_some(), "{name}");
        }
        let takes_id = |command: &clap::Command| {
            let positionals = command.get_positionals();
            let names: Vec<&str> = positionals
                .map(|argument| argument.get_id().as_str())
                .collect();
            names
                .iter()
                .any(|name| ["plugin", "plugins"].contains(name))
        };
        for one in command.get_subcommands().filter(|one| takes_id(one)) {
            assert!(WITH_IDS.contains(&one.get_name()), "{}", one.get_name());
        }
    }

    #[test]
    fn each_script_asks_for_ids() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            assert!(script(shell).contains("keyway list --ids"), "{shell}");
        }
        let zsh = script(Shell::Zsh);
        assert!(zsh.contains(":_keyway_ids'"), "{zsh}");
        assert!(zsh.starts_with("#compdef keyway\n"));
    }
}

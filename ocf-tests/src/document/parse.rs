//! From the text of a document to what the lab has to do: parts, chapters, commands.
//!
//! A part begins with `## `, a chapter with `### `; the text between a part's heading and its
//! first chapter is a chapter too. Commands stand in fenced blocks with the word `console`:
//!
//! ```text
//! srv1# crm_mon -1              as root on srv1
//! postgres@srv2$ psql -c ...    as postgres on srv2
//! all# systemctl stop corosync  as root on every member
//! ```
//!
//! A line that ends with a backslash goes on, and so does a here-document. Any other line is
//! output that the command before it must print. Comments that begin with `lab:` are for this
//! parser alone; readers never see them. Pure: it reads no file.

use anyhow::{Context, Result, bail, ensure};

/// Words after a fence's backticks that make it a block of commands in some way.
const SHELLS: &[&str] = &["console", "sh", "bash", "shell", "shell-session", "zsh"];

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// Its parts, in order.
    pub parts: Vec<Part>,
}

/// What stands under one heading of the second level.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// The heading.
    pub title: String,
    /// Its chapters, in order.
    pub chapters: Vec<Chapter>,
}

/// What stands under one heading of the third level.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chapter {
    /// The heading.
    pub title: String,
    /// What is to be done, in order.
    pub steps: Vec<Step>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A command that readers see.
    Command(Command),
    /// Something the lab does instead of the world: the words of the comment.
    Stage(usize, Vec<String>),
    /// Commands that are not run, and why.
    NotRun(usize, String),
}

/// A command of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its line in the document.
    pub line: usize,
    /// Node, or `all`.
    pub node: String,
    /// `root` or `postgres`.
    pub user: &'static str,
    /// What is typed.
    pub text: String,
    /// Lines that it prints.
    pub output: Vec<String>,
    /// Whether the document shows that it fails.
    pub fails: bool,
}

impl Document {
    /// Reads a document.
    pub fn parse(text: &str) -> Result<Self> {
        let mut reader = Reader::default();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            reader
                .take(number, line)
                .with_context(|| format!("line {number}"))?;
        }
        reader.finish()
    }

    /// The part called `title`.
    pub fn part(&self, title: &str) -> Result<&Part> {
        let mut parts = self.parts.iter();
        let found = parts.find(|part| part.title == title);
        found.with_context(|| format!("no part \"{title}\""))
    }
}

impl Part {
    /// Whether anything in it is to be run.
    pub fn is_played(&self) -> bool {
        let mut steps = self.chapters.iter().flat_map(|chapter| &chapter.steps);
        steps.any(|step| matches!(step, Step::Command(_)))
    }

    /// The part as a reader follows it who leaves `node` out: what is only about that node is
    /// not typed, and its name is left out of lists.
    pub fn without(&self, node: &str) -> Self {
        let mut part = self.clone();
        for chapter in &mut part.chapters {
            let steps = std::mem::take(&mut chapter.steps);
            let kept = steps.into_iter().filter_map(|step| step.without(node));
            chapter.steps = kept.collect();
        }
        part
    }
}

impl Step {
    fn without(self, node: &str) -> Option<Self> {
        let Self::Command(mut command) = self else {
            return Some(self);
        };
        let strip = |text: &str| text.replace(&format!(" {node}"), "");
        command.text = strip(&command.text);
        let about = [format!(": {node}"), format!("  {node}")];
        let ends = |line: &str| about.iter().any(|end| line.ends_with(end));
        let about_it = |line: &str| line.trim_start().starts_with(node) || ends(line);
        let others = command.output.iter().filter(|line| !about_it(line));
        let output = others.map(|line| strip(line));
        command.output = output.filter(|line| !line.contains(node)).collect();
        let about_it = command.node == node || command.text.contains(node);
        (!about_it).then_some(Self::Command(command))
    }
}

#[derive(Default)]
struct Reader {
    document: Document,
    /// What the comment before the next block said of it.
    mark: Option<Mark>,
    block: Option<Block>,
}

enum Mark {
    NotRun(usize, String),
    Fails(usize),
}

struct Block {
    kind: Kind,
    /// Last line of the here-document that is being read.
    here: Option<String>,
    fails: bool,
    commands: Vec<Command>,
    line: usize,
}

enum Kind {
    Played,
    NotRun(String),
    Other,
}

impl Reader {
    fn take(&mut self, number: usize, line: &str) -> Result<()> {
        if let Some(block) = &mut self.block {
            if line.trim() != "```" {
                return block.take(number, line);
            }
            let block = self.block.take().context("a block")?;
            return self.close(block);
        }
        if let Some(info) = line.trim_start().strip_prefix("```") {
            return self.open(number, info.trim());
        }
        if let Some(words) = comment(line) {
            return self.obey(number, words);
        }
        ensure!(
            self.mark.is_none() || line.trim().is_empty(),
            "the comment before this line must stand before a block of commands"
        );
        if let Some(title) = line.strip_prefix("## ") {
            self.document.parts.push(part(title));
        } else if let Some(title) = line.strip_prefix("### ") {
            self.part().chapters.push(chapter(title));
        }
        Ok(())
    }

    fn obey(&mut self, number: usize, words: &str) -> Result<()> {
        if let Some(reason) = words.strip_prefix("not run:") {
            let reason = reason.trim().to_owned();
            ensure!(!reason.is_empty(), "why not?");
            self.mark = Some(Mark::NotRun(number, reason));
        } else if words == "fails" {
            self.mark = Some(Mark::Fails(number));
        } else {
            let words = words.split_whitespace().map(str::to_owned).collect();
            self.step(Step::Stage(number, words));
        }
        Ok(())
    }

    fn open(&mut self, number: usize, info: &str) -> Result<()> {
        let language = info.split_whitespace().next().unwrap_or_default();
        let mark = self.mark.take();
        let (kind, fails) = match (SHELLS.contains(&language), mark) {
            (true, Some(Mark::NotRun(_, reason))) => (Kind::NotRun(reason), false),
            (true, mark) if language == "console" => (Kind::Played, mark.is_some()),
            (true, _) => bail!("commands must be a console block, or say why they are not run"),
            (false, Some(Mark::NotRun(line, _) | Mark::Fails(line))) => {
                bail!("the comment in line {line} stands before a block without commands")
            }
            (false, None) => (Kind::Other, false),
        };
        self.block = Some(Block {
            kind,
            here: None,
            fails,
            commands: Vec::new(),
            line: number,
        });
        Ok(())
    }

    fn close(&mut self, block: Block) -> Result<()> {
        ensure!(block.here.is_none(), "a here-document has no end");
        match block.kind {
            Kind::Other => {}
            Kind::NotRun(reason) => self.step(Step::NotRun(block.line, reason)),
            Kind::Played => {
                ensure!(!block.commands.is_empty(), "no command in this block");
                let commands = block.commands.into_iter();
                commands.for_each(|command| self.step(Step::Command(command)));
            }
        }
        Ok(())
    }

    fn step(&mut self, step: Step) {
        let part = self.part();
        match part.chapters.last_mut() {
            Some(chapter) => chapter.steps.push(step),
            None => {
                let mut first = chapter(&part.title);
                first.steps.push(step);
                part.chapters.push(first);
            }
        }
    }

    fn part(&mut self) -> &mut Part {
        if self.document.parts.is_empty() {
            self.document.parts.push(Part::default());
        }
        let last = self.document.parts.len() - 1;
        &mut self.document.parts[last]
    }

    fn finish(self) -> Result<Document> {
        if let Some(block) = self.block {
            bail!("the block of line {} has no end", block.line);
        }
        if let Some(Mark::NotRun(line, _) | Mark::Fails(line)) = self.mark {
            bail!("the comment in line {line} stands before no block");
        }
        Ok(self.document)
    }
}

impl Block {
    fn take(&mut self, number: usize, line: &str) -> Result<()> {
        if !matches!(self.kind, Kind::Played) {
            return Ok(());
        }
        if let Some(end) = self.here.clone() {
            self.go_on(line)?;
            if line == end {
                self.here = None;
            }
            return Ok(());
        }
        let goes_on = self
            .commands
            .last()
            .is_some_and(|command| command.output.is_empty() && command.text.ends_with('\\'));
        if goes_on {
            self.go_on(line)?;
        } else if let Some((node, user, text)) = prompt(line) {
            self.commands.push(Command {
                line: number,
                node: node.to_owned(),
                user,
                text: text.to_owned(),
                output: Vec::new(),
                fails: self.fails,
            });
        } else {
            let last = self.commands.last_mut();
            let last = last.context("a block of commands begins with a prompt, as srv1#")?;
            last.output.push(line.to_owned());
            return Ok(());
        }
        self.here = here_document(line);
        Ok(())
    }

    fn go_on(&mut self, line: &str) -> Result<()> {
        let last = self.commands.last_mut().context("a command")?;
        last.text.push('\n');
        last.text.push_str(line);
        Ok(())
    }
}

fn part(title: &str) -> Part {
    Part {
        title: title.trim().to_owned(),
        chapters: Vec::new(),
    }
}

fn chapter(title: &str) -> Chapter {
    Chapter {
        title: title.trim().to_owned(),
        steps: Vec::new(),
    }
}

fn comment(line: &str) -> Option<&str> {
    let inner = line.trim().strip_prefix("<!-- lab:")?;
    inner.strip_suffix("-->").map(str::trim)
}

/// `srv1# …`, `all# …` or `postgres@srv1$ …`.
fn prompt(line: &str) -> Option<(&str, &'static str, &str)> {
    let is_node = |name: &str| {
        let number = name.strip_prefix("srv");
        name == "all" || number.is_some_and(|n| n.len() == 1 && n.as_bytes()[0].is_ascii_digit())
    };
    let (before, text) = line.split_once(' ')?;
    let (node, user) = match before.strip_prefix("postgres@") {
        Some(rest) => (rest.strip_suffix('$')?, "postgres"),
        None => (before.strip_suffix('#')?, "root"),
    };
    is_node(node).then_some((node, user, text))
}

/// The word that ends the here-document which `line` begins.
fn here_document(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("<< ")?;
    let word = rest.split_whitespace().next()?;
    Some(word.trim_matches(['\'', '"']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(text: &str) -> Vec<Command> {
        let document = Document::parse(text).unwrap();
        let chapters = document.parts.into_iter().flat_map(|part| part.chapters);
        let steps = chapters.flat_map(|chapter| chapter.steps);
        let commands = steps.filter_map(|step| match step {
            Step::Command(command) => Some(command),
            _ => None,
        });
        commands.collect()
    }

    #[test]
    fn prompts_tell_node_and_user() {
        let text =
            "```console\nsrv1# id\nroot\npostgres@srv2$ psql -c 'SELECT 1'\nall# true\n```\n";
        let found = commands(text);
        let seen: Vec<_> = found
            .iter()
            .map(|c| (c.line, c.node.as_str(), c.user, c.text.as_str()))
            .collect();
        let wanted = [
            (2, "srv1", "root", "id"),
            (4, "srv2", "postgres", "psql -c 'SELECT 1'"),
            (5, "all", "root", "true"),
        ];
        assert_eq!(seen, wanted);
        assert_eq!(found[0].output, ["root"]);
    }

    #[test]
    fn commands_go_on_after_a_backslash_and_in_a_here_document() {
        let text = "```console\nsrv1# one \\\n  two\nsrv1# cat > f << END\n# srv1\nsrv2# no\nEND\nok\n```\n";
        let found = commands(text);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].text, "one \\\n  two");
        assert_eq!(found[1].text, "cat > f << END\n# srv1\nsrv2# no\nEND");
        assert_eq!(found[1].output, ["ok"]);
    }

    #[test]
    fn headings_make_parts_and_chapters() {
        let text = "# T\n## A\n```console\nsrv1# a\n```\n### B\n<!-- lab: power off srv1 -->\n\
                    ## C\n### D\n<!-- lab: fails -->\n\n```console\nsrv1# d\n```\n";
        let document = Document::parse(text).unwrap();
        let titles: Vec<_> = document.parts.iter().map(|p| p.title.as_str()).collect();
        assert_eq!(titles, ["A", "C"]);
        let [a, b] = &document.part("A").unwrap().chapters[..] else {
            panic!("two chapters")
        };
        assert_eq!((a.title.as_str(), b.title.as_str()), ("A", "B"));
        let words = ["power", "off", "srv1"].map(str::to_owned).to_vec();
        assert_eq!(b.steps, [Step::Stage(7, words)]);
        assert!(commands(text)[1].fails && !commands(text)[0].fails);
    }

    #[test]
    fn a_node_can_be_left_out() {
        let text = "```console\nsrv1# setup srv1 srv3\n[ srv1 srv3 ]\nNode: srv3\n srv3 | x\ny=srv3\n\
                    10.0.0.3  srv3\n\
                    srv3# a\nsrv1# create fence-srv3\nsrv2# b\n```\n";
        let part = Document::parse(text).unwrap().parts[0].without("srv3");
        let [Step::Command(setup), Step::Command(b)] = &part.chapters[0].steps[..] else {
            panic!("two commands: {part:?}")
        };
        assert_eq!((setup.text.as_str(), b.text.as_str()), ("setup srv1", "b"));
        assert_eq!(setup.output, ["[ srv1 ]"]);
    }

    #[test]
    fn commands_that_are_not_run_say_why() {
        let run = "```sh\nls\n```\n";
        assert!(Document::parse(run).is_err());
        let marked = format!("<!-- lab: not run: needs a BMC -->\n{run}");
        let document = Document::parse(&marked).unwrap();
        assert!(!document.parts[0].is_played());
        assert!(Document::parse(&marked.replace(" needs a BMC", "")).is_err());
        assert!(Document::parse("```text\nls\n```\n").is_ok());
    }

    #[test]
    fn what_is_not_closed_or_belongs_to_nothing_is_an_error() {
        for text in [
            "```console\nsrv1# a\n",
            "```console\nsrv1# cat << END\n```\n",
            "```console\noutput\n```\n",
            "```console\n```\n",
            "<!-- lab: fails -->\ntext\n",
            "<!-- lab: fails -->\n```text\nx\n```\n",
            "<!-- lab: not run: x -->\n",
        ] {
            assert!(Document::parse(text).is_err(), "{text}");
        }
    }
}

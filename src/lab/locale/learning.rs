//! What is said about lessons, exercises and the course.

use crate::lab::locale::Words;

/// Texts, each a name with both languages; all of them stand in [`ALL`], too.
macro_rules! texts {
    ($($name:ident $en:literal $zh:literal)*) => {
        $(
            #[doc = $en]
            pub const $name: Words = Words { en: $en, zh: $zh };
        )*
        /// Every text.
        pub const ALL: &[Words] = &[$($name),*];
    };
}

texts! {
    COPY_EDITABLE
        "What counts: {paths}. Such lines are marked below; a key that is missing may be added."
        "可以改的是：{paths}。下面已标出这些行；没有写出的键可以补上。"
    COPY_CHECK "When you have changed something: mqlab learn check {lesson}" "改好之后：mqlab learn check {lesson}"
    COPY_HINT "For a hint: mqlab learn hint {lesson}" "要提示：mqlab learn hint {lesson}"
    COPY_MARK "<- yours" "<- 可以改"

    NO_EXERCISE "this lesson has no exercise" "本课没有练习"
    FOREIGN "`{path}` is not yours to change in this exercise" "本练习不能改 `{path}`"
    PUT_BACK "put it back: {line}." "请改回：{line}。"
    PUT_TABLE_BACK "put `{key}` back as it was." "请恢复 `{key}`。"
    TAKE_OUT "take `{key}` out." "请去掉 `{key}`。"
    MAY_CHANGE "What may be changed: {paths}" "可以改的是：{paths}"

    PASSED "PASSED: {seeds} of {seeds} seeds came out as asked for" "通过：{seeds} 个种子全部符合要求"
    PASSED_UNTOUCHED
        "PASSED, and nothing was changed: please report that this exercise asks for nothing"
        "未改任何内容就通过了：请报告这个练习没有要求"
    NOT_YET "NOT YET: `{expect}` {wanted}, and in seed {seed} it does not" "还没有通过：`{expect}` {wanted}，而种子 {seed} 不是这样"
    UNTOUCHED "nothing is changed yet" "还没有改动"
    SHOULD_HOLD "is to hold" "应当成立"
    SHOULD_FAIL "is to be violated" "应当被违反"
    SHOULD_EITHER "is to be judged" "应当可以判断"
    SEEN "seen: {seen}" "看到的是：{seen}"
    REPLAY "replay  {command}" "重放  {command}"
    BROKEN "the lab itself is at fault in seed {seed}: {text}" "种子 {seed} 中实验室自身出错：{text}"

    STAGE_NEW "new" "未开始"
    STAGE_BEGUN "begun" "已开始"
    STAGE_SEEN "seen" "已看完"
    STAGE_PASSED "passed" "已通过"

    NEXT "next: {command}" "下一步：{command}"
    NEXT_EDIT "next: change {file}, then {command}" "下一步：修改 {file}，然后 {command}"
    ALL_PASSED "every lesson is passed" "所有课程都已通过"
    TOUR_PASSED "the tour is done" "导览已全部通过"
    TOUR_HEAD "The tour, about one hour" "导览，约一小时"

    GOAL "exercise  {goal}" "练习  {goal}"
    EDITABLE "may be changed: {paths}" "可以改的是：{paths}"
    WRITTEN "{file} is yours: the whole scenario, the lines that count are marked" "{file} 是你的副本：整个场景，可以改的行已标出"
    THERE_ALREADY "{file} is there already and stays as it is" "{file} 已经存在，保持原样"
    NO_COPY "{file} is not there: there is nothing to check yet" "{file} 不存在：还没有可检查的内容"
    WATCHING
        "watching {file}: save it, and it is checked; Ctrl-C ends. Nothing happens when you save? `{command}` checks once."
        "正在监视 {file}：保存后自动检查；Ctrl-C 结束。保存后没有反应？`{command}` 检查一次。"
    FILE_GONE "{file} is gone; it is checked when it is back" "{file} 不见了；恢复之后再检查"

    HINT "hint {number} of {count}: {hint}" "提示 {number}/{count}：{hint}"
    NO_MORE_HINTS "that was the last hint" "提示已用完"
    NO_HINTS "this exercise has no hints" "这个练习没有提示"

    ASK_SOLUTION "Show the solution of {lesson}? [y/N] " "显示 {lesson} 的答案？[y/N] "
    ASK_RESET "Forget {lesson}, and set its copy aside? [y/N] " "忘记 {lesson} 的进度，并把副本移开？[y/N] "
    ASK_RESET_ALL "Forget the whole course, and set all copies aside? [y/N] " "忘记全部进度，并把所有副本移开？[y/N] "
    SAY_YES "nobody can be asked here: add `--yes` to {command}" "这里无法询问：请在 {command} 后加 `--yes`"
    LEFT "nothing was done" "什么也没有做"
    SOLUTION "way {number}: {flags}" "办法 {number}：{flags}"
    NO_SOLUTION "this lesson has no solution written down" "本课没有写出答案"
    SET_ASIDE "{file} is kept as {aside}" "{file} 保存为 {aside}"
    FORGOTTEN "{lesson} is as if never begun" "{lesson} 的进度已清除"
    FORGOTTEN_ALL "the whole course is as if never begun" "全部进度已清除"

    PROGRESS_HEAD "{passed} of {count} lessons passed, {seen} seen, {begun} begun" "{count} 课中通过 {passed}，看完 {seen}，开始 {begun}"
    PROGRESS_LINE "{steps} steps, {right} of {answers} answers right, {hints} hints" "看过 {steps} 步，答对 {right}/{answers}，提示 {hints} 次"
    PROGRESS_FILE "kept in {file}" "保存在 {file}"

    DAMAGED
        "the file with your progress cannot be read ({why}); it is kept as {file}, and a new one is begun"
        "进度文件无法读取（{why}）；已另存为 {file}，从头开始记录"
    OTHER_VERSION
        "another version of mqlab wrote the file with your progress (version {version}); it is kept as {file}, and a new one is begun"
        "进度文件由另一版本的 mqlab 写成（版本 {version}）；已另存为 {file}，从头开始记录"
    NOT_KEPT
        "your progress cannot be kept in {folder}: {error}\n  help: give yourself the right to write there, or name another folder with MQLAB_DATA"
        "进度无法保存到 {folder}：{error}\n  帮助：请取得写权限，或用 MQLAB_DATA 指定别的文件夹"

    UNKNOWN "no lesson named `{asked}`" "没有名为 `{asked}` 的课程"
    SEVERAL "`{asked}` may be several lessons: {names}" "`{asked}` 可能是多课：{names}"
    HELP_NEAR "  help: did you mean `{near}`? mqlab learn list shows all" "  帮助：是不是 `{near}`？mqlab learn list 列出全部"
    HELP_LIST "  help: `mqlab learn list` shows all" "  帮助：`mqlab learn list` 列出全部"
    HELP_SEVERAL "  help: write the number or a longer part of the name" "  帮助：请写编号，或写出更长的一部分名字"
    NO_LESSON "no lesson was begun yet, and none was named" "还没有开始任何课程，也没有指定课程"
    HELP_NO_LESSON "  help: `mqlab learn next` begins one, or name it: `mqlab learn check 17-power-loss`" "  帮助：用 `mqlab learn next` 开始，或写出课程：`mqlab learn check 17-power-loss`"
    UNREADABLE "{file} cannot be read: {error}\n  help: is it the right file? `mqlab learn edit {lesson}` writes one" "{file} 无法读取：{error}\n  帮助：文件对吗？`mqlab learn edit {lesson}` 可以写出一份"
    UNWRITABLE "{file} cannot be written: {error}\n  help: go to a folder that you may write to" "{file} 无法写入：{error}\n  帮助：请换一个可写的文件夹"

    CARD "In production" "在生产环境中"
    CARD_READ "more: the book, {chapter}" "更多：书中 {chapter}"
    CORRECTS "The article says otherwise" "文章的说法有误"

    COURSE_LESSON "lesson" "课程"
    COURSE_WORDS "words" "文字"
    COURSE_HINTS "hints" "提示"
    COURSE_UNSOLVED "unsolved" "未解"
    COURSE_WAYS "ways" "解法"
    COURSE_WRONG "wrong" "错解"
    COURSE_CARD "card" "卡片"
    COURSE_RUN "run" "运行"
    COURSE_FAILS "fails" "不通过"
    COURSE_PASSES "PASSES" "通过！"
    COURSE_OK "ok" "好"
    COURSE_NO "NO" "无"
    COURSE_DONE "all {count} lessons are in order" "全部 {count} 课都没有问题"
    COURSE_OPEN "{good} of {count} lessons are in order, {problems} things to mend" "{count} 课中 {good} 课没有问题，共 {problems} 处待改"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::locale::Lang;

    #[test]
    fn both_languages_have_the_same_places_to_fill() {
        let names = |text: &str| {
            let mut names: Vec<String> =
                text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).map(str::to_owned).collect();
            names.sort();
            names.dedup();
            names
        };
        for words in ALL {
            assert_eq!(names(words.en), names(words.zh), "{}", words.en);
            assert!(!words.en.is_empty() && !words.zh.is_empty());
        }
        assert_eq!(NEXT.with(Lang::En, &[("command", "mqlab learn")]), "next: mqlab learn");
    }
}

//! What the page of a run says beside the run's own sentences.

use crate::lab::locale::Words;

const fn w(en: &'static str, zh: &'static str) -> Words {
    Words { en, zh }
}

/// Where there is no script.
pub const NO_SCRIPT: Words = w("This page is stepped through by a script.", "本页面需要启用脚本才能单步浏览。");

/// Words by the names that the script knows them by.
pub const WORDS: &[(&str, Words)] = &[
    ("all", w("everything", "全部")),
    ("back", w("step back", "后退一步")),
    ("copy", w("copy", "复制")),
    ("fault", w("FAULT", "故障")),
    ("findings", w("checks", "检查")),
    ("first", w("to the beginning", "到开头")),
    ("focus", w("show", "显示")),
    ("frames", w("frames", "网络帧")),
    (
        "help",
        w(
            ". and , step, g and G go to the ends, space plays, w goes to the cause, 1 to 6 open the views; #31 in the address is a moment",
            ". 与 , 单步前进与后退，g 与 G 到两端，空格播放，w 到原因，1 到 6 切换视图；地址中的 #31 指一个时刻",
        ),
    ),
    ("lanes", w("Lanes", "泳道")),
    ("last", w("to the end", "到结尾")),
    ("moment", w("At the moment", "时刻")),
    ("nothing", w("nothing that is told here", "此处没有记载")),
    ("play", w("play", "播放")),
    ("scrub", w("moment", "时刻")),
    ("step", w("step", "前进一步")),
    ("then", w("what it led to", "导致了什么")),
    ("why", w("why", "为什么")),
];

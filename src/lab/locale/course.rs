//! The course in the terminal: the first screen, the strip under a lesson, its card.

use crate::lab::locale::Words;

/// Texts, each a name with its text in both languages.
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
    NAME "mqlab  a deterministic laboratory for RocketMQ 4.3.2: one seed is one history" "mqlab  RocketMQ 4.3.2 的确定性实验室：一个种子，一段历史"
    LANGUAGES "English / 中文 (L)" "中文 / English (L)"

    FIRST "What to do" "做什么"
    START "Start lesson {n}" "开始第 {n} 课"
    GO_ON "Go on with lesson {n}" "继续第 {n} 课"
    AGAIN "Lesson {n} again" "重温第 {n} 课"
    LESSON_ABOUT "{question} Enter opens it; the screen says which key comes next." "{question}按 Enter 打开；屏幕会提示下一个按键。"
    RIGHT "{letter}) right. {why}" "{letter}) 对。{why}"
    NOT_SO "{letter}) not so. {why}" "{letter}) 不对。{why}"
    TOUR "Tour, one hour" "一小时导览"
    TOUR_TEXT "lessons {all}: {seen} of {count} seen" "第 {all} 课：已看 {seen}/{count}"
    TOUR_ABOUT "The shortest way through the laboratory: {count} lessons, one after the other; on each card n leads on. You can leave at any time and go on where you were." "了解实验室的最短路线：{count} 课依次进行，在每张卡片上按 n 进入下一课。随时可以离开，下次接着来。"
    LESSONS "All lessons" "全部课程"
    LESSONS_TEXT "{count} in {tracks} tracks: {seen} seen, {passed} passed" "{count} 课，{tracks} 个单元：已看 {seen}，已通过 {passed}"
    LESSONS_ABOUT "Every lesson by its track, with its minutes. Take them in any order: type a number, or / and a word, to find one." "按单元列出全部课程和所需分钟数。顺序随意：输入课号，或按 / 再输入词语来查找。"
    SANDBOX "Sandbox" "沙箱"
    SANDBOX_TEXT "a small cluster to break, and the scenarios in this folder" "一个可随意破坏的小集群，以及当前目录中的场景"
    SANDBOX_ABOUT "No lesson: a cluster that works, and f to put a fault in at any moment. Scenario files (*.toml) of this folder stand here, too." "没有讲解：一个正常工作的集群，随时按 f 注入故障。当前目录中的场景文件（*.toml）也列在这里。"
    SMALL_CLUSTER "A cluster of your own" "你自己的集群"
    SMALL_CLUSTER_ABOUT "Two brokers, a shop that sends an order each second, two consumers that share the work. f breaks something, D compares." "两个 Broker，商店每秒发一条订单，两个消费者分担工作。按 f 制造故障，按 D 比较。"
    RUNS "My runs" "我的运行"
    RUNS_TEXT "{count} run files in this folder" "当前目录中有 {count} 个运行文件"
    NO_RUNS "none here yet: in the player, :save mine.rmqrun keeps one" "这里还没有：在播放器中输入 :save mine.rmqrun 保存"
    RUNS_ABOUT "Runs that were kept, with their bookmarks. In the player, : and then save mine.rmqrun keeps the run that is up." "保存下来的运行及其书签。在播放器中按 : 再输入 save mine.rmqrun 即可保存当前运行。"
    RUN_ABOUT "A run that was kept, with its bookmarks: it must come out as it was written. `mqlab replay FILE` keeps new bookmarks." "保存下来的运行及其书签：重放的结果必须与写入时相同。用 mqlab replay 打开可保存新的书签。"
    OWN_ABOUT "A scenario file of this folder." "当前目录中的场景文件。"
    NOTHING_FITS "no lesson has that: Esc shows all" "没有符合的课程：按 Esc 显示全部"
    FILTER "find: " "查找："
    MINUTES "{n} min" "{n} 分钟"
    BEGUN "begun" "已开始"
    SEEN "seen" "已看"
    PASSED "passed" "已通过"

    FIRST_STEPS "First steps" "入门"
    CONSUMING "Consuming" "消费"
    ORDER "Order and transactions" "顺序与事务"
    DURABILITY "Durability" "持久性"
    FAILURE "When it fails" "失败之时"
    CLUSTERS "Clusters" "集群"
    BEYOND "Beyond" "更进一步"

    BEGIN "Press ] to go to the first thing to see." "按 ] 前往第一个要看的地方。"
    BEGIN_KEY " ] the first thing to see " " ] 第一个要看的地方 "
    NEXT_KEY " ] the next thing to see " " ] 下一个要看的地方 "
    END_KEY " ] to the end and the checks " " ] 到结尾看检查结果 "
    CARD_KEY " ] your card " " ] 本课卡片 "
    ANSWER_KEY " answer: {keys} " " 回答：{keys} "
    AGAIN_KEY " , back: look again   ] the next thing " " , 退回再看一遍   ] 下一处 "
    BREAK_KEY " f break it   ] the next thing " " f 制造故障   ] 下一处 "
    TURN_KEY " J more {page}/{pages} " " J 翻页 {page}/{pages} "
    LOOK_AGAIN "Press , to go back and look again; ] goes on." "按 , 退回去再看一遍；按 ] 继续。"
    STEP_BY_STEP "Press ] for the next thing to see; . goes one event only." "按 ] 看下一处；按 . 只前进一个事件。"
    LEFT_HERE "you left here: ] goes on, g begins again" "上次停在这里：按 ] 继续，按 g 从头开始"
    BREAK "Now break it: press f and Enter, and nothing passes between shop and broker-a for 30 s. Then press ]." "现在来破坏它：按 f，再按 Enter，商店与 broker-a 之间断网 30 秒。然后按 ]。"
    BROKEN "This is another history now: watch what the shop is told. ] goes on, t goes back to the whole one." "现在是另一段历史：看商店会收到什么结果。按 ] 继续，按 t 可回到原来的历史。"
    TO_THE_CARD "Press ] for your card." "按 ] 查看本课卡片。"
    LESSON_STEP "Lesson, step {n} of {count}" "讲解 {n}/{count}"
    QUESTION "Question" "问题"
    CHECKS_TITLE "Checks" "结论"

    CARD "Card of lesson {n}: {title}" "第 {n} 课卡片：{title}"
    CARD_OF "Card: {title}" "卡片：{title}"
    WHAT_HAPPENED "What happened" "发生了什么"
    FIGURES "sent {sent}, acknowledged {acked}, stored {stored}, delivered {delivered}" "发送 {sent}，确认 {acked}，写入 {stored}，投递 {delivered}"
    FAILED_TOO ", failed {n}" "，失败 {n}"
    LOST_TOO ", lost {n}" "，丢失 {n}"
    TWICE_TOO ", handed over again {n}" "，重复投递 {n}"
    NO_MESSAGE "no message was sent" "没有发送消息"
    AS_IT_IS "as the lesson has it" "原来的历史"
    AS_CHANGED "as you have changed it: {edits}" "你改变后的历史：{edits}"
    CHECKED "Checks" "检查"
    IN_PRODUCTION "In production" "在生产中"
    CORRECTS "Not as the article has it" "与文章所写不同"
    READ_ON "Read on: book, chapter {chapter}" "延伸阅读：本书 {chapter} 一章"
    EXERCISE "Exercise" "练习"
    EXERCISE_HOW "In a shell: mqlab learn start {n}" "在终端中执行：mqlab learn start {n}"
    REPRODUCE "See it again" "重现"
    NEXT_LESSON "n: lesson {n}, {title}" "n：第 {n} 课 {title}"
    TOUR_NEXT "n: the tour goes on with lesson {n}, {title}" "n：导览继续，第 {n} 课 {title}"
    TOUR_DONE "This was the tour. n: all lessons" "导览到此结束。n：全部课程"
    COURSE_DONE "This was the last lesson. n: all lessons" "这是最后一课。n：全部课程"
    TURN_PAGE "J turns the page: {page}/{pages}" "J 翻页：{page}/{pages}"
    KEYS "Keys" "按键"
    KEYS_OF "Keys {page}/{pages}: ? turns the page" "按键 {page}/{pages}：? 翻页"
}

/// The tracks of the course in their order: as scenario files name them, and what they are called.
pub const TRACKS: [(&str, Words); 7] = [
    ("first-steps", FIRST_STEPS),
    ("consuming", CONSUMING),
    ("order-and-transactions", ORDER),
    ("durability", DURABILITY),
    ("when-it-fails", FAILURE),
    ("cluster", CLUSTERS),
    ("beyond", BEYOND),
];

// The index that mdBook makes knows words between blanks, and Chinese has no blanks. A question with Chinese in it is looked for in the
// texts of the index as it stands; every other one is left to the index.
(() => {
    if (!window.elasticlunr) {
        return;
    }
    const AROUND = 40;
    const load = elasticlunr.Index.load.bind(elasticlunr.Index);

    function look(docs, question) {
        const parts = question.toLowerCase().split(/\s+/);
        const found = [];
        for (const [ref, doc] of Object.entries(docs)) {
            const title = doc.title.toLowerCase();
            const body = doc.body.toLowerCase();
            if (!parts.every(part => title.includes(part) || body.includes(part))) {
                continue;
            }
            const at = Math.max(0, body.indexOf(parts[0]) - AROUND);
            const snippet = doc.body.slice(at, at + 2 * AROUND + parts[0].length);
            const score = parts.every(part => title.includes(part)) ? 2 : 1;
            found.push({ ref, score, doc: { ...doc, body: snippet } });
        }
        return found.sort((one, other) => other.score - one.score);
    }

    elasticlunr.Index.load = config => {
        const index = load(config);
        const search = index.search.bind(index);
        index.search = (question, options) =>
            /\p{Script=Han}/u.test(question) ? look(index.documentStore.docs, question) : search(question, options);
        return index;
    };
})();

/**
 * Code of a dependency that is for other callers and that the SDK never uses. A bundler can't know: the code
 * that reads an option or a field is there for every caller. Each entry is a text that is replaced by another; one that
 * is no longer found ends the build, so that a new version of a dependency is looked at.
 */
const TRIMS = [
  {
    // Soft navigations and reports of every change are options; the SDK reads `name`, `value`, `rating` and `id`, and
    // never begins while a page is rendered ahead. Without such reports, `report` does nothing unless it is forced to.
    module: /web-vitals\/dist\/modules\/on(CLS|FCP|INP|LCP|TTFB)\.js$/,
    replace: [
      [/checkSoftNavsEnabled\(opts\)/g, 'false'],
      [/const softNavsEnabled = false;/g, '', 'optional'],
      [/\bsoftNavsEnabled\b/g, 'false', 'optional'],
      [/entry\.entryType === 'soft-navigation'/g, 'false', 'optional'],
      [/entry\.entryType === 'interaction-contentful-paint'/g, 'false', 'optional'],
      [/navigation === 'soft-navigation'/g, 'false', 'optional'],
      [/, opts\.reportAllChanges\)/g, ')'],
      [/opts\.reportAllChanges/g, 'false', 'optional'],
      [/\n *(report\((forceReport)?\)|setTimeout\(report\)|doubleRAF\(report\));/g, '', 'optional'],
      ['document.prerendering', 'false', 'optional'],
      ['(forceReport = false) =>', '() =>', 'optional'],
      [/\.\.\.opts,|opts\.durationThreshold \?\?/g, '', 'optional'],
      ["entry.entryType === 'largest-contentful-paint'", 'true', 'optional'],
      [
        /(back-forward-cache.*)\n *report = bindReporter.*(\n *doubleRAF.*\n *metric.*\n *isFinalized)/,
        '$1$2',
        'optional',
      ],
      [/\n *if \(!entry\)\s*continue;/, '', 'optional'],
      [/(const lcpEntryManager = .*|lcpEntryManager\._processEntry\(entry\));/g, '', 'optional'],
      [
        /metric\.navigationId, metric\.navigationInteractionId, metric\.navigationURL, getBFCacheRestoreTime\(\)/,
        '0',
        'optional',
      ],
      [
        /(navigation(Type)?), navigationId, navigationInteractionId, navigationURL, navigationStartTime/g,
        '$1',
        'optional',
      ],
      [/metric\.entries(\.push\(entry\)| = [^;]*);/g, '', 'optional'],
      ['metric.navigationId = entry.navigationId || metric.navigationId;', '', 'optional'],
      [/initUnique\(opts, (\w+)\)/g, 'new $1()', 'optional'],
      ['const fcpEntryManager = new FCPEntryManager();', '', 'optional'],
    ],
  },
  {
    module: /web-vitals\/dist\/modules\/lib\/initMetric\.js$/,
    replace: [
      [/const hardNavEntry[\s\S]*?\/\/ Use `entries`/, 'let _navigationType = navigationType;\n    //'],
      [/const entries = \[\];/, ''],
      [/\n *(rating: 'good'|delta: 0),.*/g, ''],
      [/\n {8}entries,/, ''],
      [/\n {8}navigationId:[\s\S]*?\n {4}\};/, '\n    };'],
    ],
  },
  {
    module: /web-vitals\/dist\/modules\/lib\/bfcache\.js$/,
    replace: [['bfcacheRestoreTime = event.timeStamp;', '']],
  },
  {
    module: /web-vitals\/dist\/modules\/lib\/InteractionManager\.js$/,
    replace: [
      ["navigationType === 'soft-navigation' ||", ''],
      [/else if \(entry\.duration === interaction[\s\S]*?\}/, ''],
      [/entries: \[\w*\],|interaction\.entries = \[entry\];/g, ''],
    ],
  },
  {
    module: /web-vitals\/dist\/modules\/lib\/bindReporter\.js$/,
    replace: [
      ['metric.delta = delta;', ''],
      ['let delta;', ''],
      ['delta = metric.value - (prevValue ?? 0);', ''],
      ['delta || prevValue === undefined', 'metric.value !== prevValue'],
      [', reportAllChanges)', ')'],
      [' || reportAllChanges', ''],
    ],
  },
  {
    module: /web-vitals\/dist\/modules\/lib\/whenActivated\.js$/,
    replace: [['document.prerendering', 'false']],
  },
  {
    module: /web-vitals\/dist\/modules\/lib\/getVisibilityWatcher\.js$/,
    replace: [
      ['reset = false', ''],
      ['if (reset)', 'if (false)'],
      [/!?document\.prerendering/g, text => `${text[0] === '!'}`],
      [/\w+EventListener\('prerenderingchange'.*\);/g, ''],
      [/event\.type === 'visibilitychange'/g, 'true'],
    ],
  },
  {
    module: /web-vitals\/dist\/modules\/lib\/(Interaction|LayoutShift|LCPEntry)Manager\.js$/,
    replace: [[/\n *(this\.)?_on(Before|After)\w+(\?\.\(\w+\))?;/g, '']],
  },
]

/** Leaves out what the SDK doesn't use of `web-vitals`. */
export const leanDependencies = {
  name: 'lean-dependencies',
  // `web-vitals` as its single modules, of which the bundler can leave out some.
  resolveId(source, importer) {
    return source === 'web-vitals'
      ? this.resolve('web-vitals/onCLS.js', importer).then(resolved => resolved?.id.replace(/onCLS\.js$/, 'index.js'))
      : null
  },
  transform(code, id) {
    const path = id.replaceAll('\\', '/')
    const trims = TRIMS.filter(({ module }) => module.test(path))
    if (!trims.length) return null
    for (const [text, replacement, optional] of trims.flatMap(({ replace }) => replace)) {
      const trimmed = code.replace(text, replacement)
      if (trimmed === code && !optional) this.error(`${id} has changed, there is no ${text}: see lean-dependencies.js`)
      code = trimmed
    }
    return { code, map: null }
  },
}

import neostandard from 'neostandard'

/** What each folder may not import, so that no import runs upwards: the server and the command line stand above the plugin, that above `lib/`. */
const above = {
  schemas: ['lib/', 'plugins/', 'routes/', 'cli/', 'embedded/', 'server/', 'app.js', 'config.js', 'server.js'],
  embedded: ['lib/', 'plugins/', 'routes/', 'schemas/', 'cli/', 'server/', 'app.js', 'config.js', 'server.js'],
  lib: ['plugins/', 'routes/', 'cli/', 'server/', 'app.js', 'config.js', 'server.js'],
  plugins: ['routes/', 'cli/', 'server/', 'app.js', 'config.js', 'server.js'],
  routes: ['cli/', 'server/', 'app.js', 'config.js', 'server.js']
}

export default [
  ...neostandard({
    ts: true,
    ignores: ['**/dist', '.tap', 'data', '**/.venv']
  }),
  {
    // a schema and its type share a name, as TypeBox's users write them; TypeScript itself refuses what is declared twice
    rules: { '@typescript-eslint/no-redeclare': 'off' }
  },
  ...Object.entries(above).map(([folder, names]) => ({
    files: [`${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [{ regex: `^(\\.\\./)+(${names.map((name) => name.replace('.', '\\.')).join('|')})`, message: `${folder}/ stands below that` }]
      }]
    }
  }))
]

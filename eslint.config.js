import neostandard from 'neostandard'

export default [
  ...neostandard({
    ts: true,
    ignores: ['dist', '.tap', 'data', '**/.venv']
  }),
  {
    // a schema and its type share a name, as TypeBox's users write them; TypeScript itself refuses what is declared twice
    rules: { '@typescript-eslint/no-redeclare': 'off' }
  }
]

import type { Document } from 'mongodb'
import { bulkNamespace, bulkStatements, commands, deleteStatement, filterOperators, genericFields, indexOptions, sortFields, stages, updateOperators } from '../../embedded/surface.js'

/** Every row of the surface table, by the name that the report has for it. */
export const rows = [
  ...Object.entries(commands).flatMap(([name, { served }]) => [name, ...Object.keys(served).map(field => `${name}.${field}`)]),
  ...Object.keys(genericFields.served).map(field => `any.${field}`),
  ...Object.keys(deleteStatement.served).map(field => `delete.deletes.${field}`),
  ...Object.entries(bulkStatements).flatMap(([kind, { served }]) => Object.keys(served).map(field => `bulkWrite ${kind}.${field}`)),
  ...Object.keys(bulkNamespace.served).map(field => `bulkWrite nsInfo.${field}`),
  ...Object.entries(filterOperators).flatMap(([where, { served }]) => Object.keys(served).map(operator => `filter ${where} ${operator}`)),
  ...Object.keys(updateOperators.served).map(operator => `update ${operator}`),
  ...sortFields.map(field => `sort ${field}`),
  ...stages.map(stage => `stage ${stage}`),
  ...Object.keys(indexOptions.served).map(option => `index ${option}`)
]

const known = new Set(rows)

/** The rows that a command, as the driver sent it, exercises. */
export function rowsOf (command: Document): string[] {
  const [name = ''] = Object.keys(command)
  const names = Object.keys(command)
  const found = [
    name,
    ...names.flatMap(field => [`${name}.${field}`, `any.${field}`]),
    ...listOf(command.ops).flatMap(operation => Object.keys(operation).map(field => `bulkWrite ${Object.keys(operation)[0]}.${field}`)),
    ...listOf(command.nsInfo).flatMap(info => Object.keys(info).map(field => `bulkWrite nsInfo.${field}`)),
    ...[command.filter, command.query, ...listOf(command.ops).map(({ filter }) => filter), ...listOf(command.pipeline).map(stage => stage.$match), ...listOf(command.deletes).map(({ q }) => q)].flatMap(rowsOfFilter),
    ...listOf(command.deletes).flatMap(statement => Object.keys(statement).map(field => `delete.deletes.${field}`)),
    ...sortedBy(command.sort).map(field => `sort ${field === '_id' ? field : 'a field'}`),
    ...keysOf(command.update).map(operator => `update ${operator}`),
    ...listOf(command.pipeline).flatMap(stage => Object.keys(stage).map(operator => `stage ${operator}`)),
    ...listOf(command.indexes).flatMap(index => Object.keys(index).map(option => `index ${option}`))
  ]
  return [...new Set(found)].filter(row => known.has(row))
}

function rowsOfFilter (filter: unknown): string[] {
  return keysOf(filter).flatMap(field => {
    const condition = (filter as Document)[field]
    if (field.startsWith('$')) return [`filter top ${field}`, ...listOf(condition).flatMap(rowsOfFilter)]
    return rowsOfCondition(field === '_id' ? 'id' : 'field', condition)
  })
}

function rowsOfCondition (where: string, condition: unknown): string[] {
  return keysOf(condition).flatMap(operator => [`filter ${where} ${operator}`, ...operator === '$not' ? rowsOfCondition(where, (condition as Document).$not) : []])
}

/** The driver's own commands have a map. */
function sortedBy (sort: unknown): string[] {
  return sort instanceof Map ? [...sort.keys()] : keysOf(sort)
}

function listOf (value: unknown): Document[] {
  return Array.isArray(value) ? value.filter(entry => keysOf(entry).length > 0) : []
}

function keysOf (value: unknown): string[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : []
}

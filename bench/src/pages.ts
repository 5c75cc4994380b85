import { compareAnswers, request } from './answers.js'
import { common, type Case } from './cases.js'
import type { Subject } from './measure.js'
import { GRADES, gradeOf, LIST_LIMIT } from './students.js'

const PAGE_LENGTH = 20
const PAGES = [1, 100, 1_000]

/**
 * Each request asks for another list, of more than there are connections: ours shares one find among the same lists that wait together,
 * and no other server would have that.
 */
const LISTS = 128

/** So many lists of so many pages are there from so many students. */
export const FEWEST_STUDENTS = 35_000

/** Where a page begins: what ours answered as its `next`, and the student before it. The first page has none. */
type Edge = { cursor: string, after: string } | undefined

export const pageCases = (students: number): Case[] => PAGES.map((page) => pageCase(page, students, Math.max(...PAGES)))

/** A page of lists that are so many pages long, by a filter and in an order. */
export function pageCase (page: number, students: number, pages: number): Case {
  const lists = listsOf(students, pages * PAGE_LENGTH)
  const edges: Edge[] = []
  const ask: Case['request'] = (n, server) => ({ method: 'GET', path: pathOf(server, String(lists[n]), page, edges[n]) })
  return {
    ...common,
    name: `page-${page}`,
    title: `page ${page.toLocaleString('en')} by filter and sort`,
    students,
    isSorted: true,
    without: ['constant', 'fastify'],
    stretch: 4, // a database that reads all that matches takes seconds for all connections
    requests: LISTS,
    request: ask,
    async open (subjects) {
      for (const { collection } of subjects) await collection.hold(students, true)
      // the cursors of the same students are the same on any database, so they are from where they are found the fastest
      const { url = '' } = subjects.find(({ embeddedUrl }) => embeddedUrl !== undefined) ?? subjects[0] ?? {}
      for (const list of lists) edges.push(await walk(url + list, page))
      await compareAnswers(subjects, async (subject) => askPages(subject, [0, LISTS - 1].map((n) => ask(n, subject.name))))
    }
  }
}

/** Lists of so many students or somewhat more: each of other grades, the best first. */
function listsOf (students: number, length: number): string[] {
  const width = Math.ceil(length / Math.floor(students / GRADES))
  return Array.from({ length: LISTS }, (_, n) => n % (GRADES - width + 1))
    .map((lowest) => `/students/?gpa.gte=${gradeOf(lowest)}&gpa.lt=${gradeOf(lowest + width)}&sort=-gpa`)
}

/** Goes to a page of ours from cursor to cursor; in longer pages, which a cursor allows. */
async function walk (url: string, page: number): Promise<Edge> {
  let edge: Edge
  for (let left = (page - 1) * PAGE_LENGTH; left > 0; left -= LIST_LIMIT) {
    const from = edge ? `&cursor=${edge.cursor}` : ''
    const { body } = await request(`${url}&fields=gpa&limit=${Math.min(LIST_LIMIT, left)}${from}`, 'GET')
    const { next, students } = Object(body)
    const { gpa, id } = Object(students?.at(-1))
    edge = { cursor: String(new URLSearchParams(next).get('cursor')), after: `${gpa},${id}` }
  }
  return edge
}

/** As each server has it: by a cursor in ours, by the student before it in the bare peer, by a number to skip in the others, as usual. */
function pathOf (server: string, list: string, page: number, edge: Edge): string {
  const path = `${list}&limit=${PAGE_LENGTH}`
  if (['mongoose', 'fastapi'].includes(server)) return `${path}&skip=${(page - 1) * PAGE_LENGTH}`
  if (!edge) return path
  return server === 'bare' ? `${path}&after=${edge.after}` : `${path}&cursor=${edge.cursor}`
}

async function askPages ({ url }: Subject, requests: { path: string }[]) {
  return Promise.all(requests.map(async ({ path }, n) => {
    const { status, body } = await request(url + path, 'GET')
    return { name: `page of list ${n}`, status, body: Object(body).students }
  }))
}

/** A poster to print: the code large and sharp, its name below. */

const SIDE = 1800
const MARGIN = 140
const CAPTION = 300

export async function poster(address: string, name: string, line: string): Promise<Blob> {
  const picture = await load(address)
  const canvas = document.createElement('canvas')
  canvas.width = SIDE + MARGIN * 2
  canvas.height = SIDE + MARGIN * 2 + CAPTION
  const paper = canvas.getContext('2d')
  if (!paper) throw new Error('no canvas')
  paper.fillStyle = '#ffffff'
  paper.fillRect(0, 0, canvas.width, canvas.height)
  // Squares stay squares at any size.
  paper.imageSmoothingEnabled = false
  paper.drawImage(picture, MARGIN, MARGIN, SIDE, SIDE)
  paper.fillStyle = '#161a23'
  paper.textAlign = 'center'
  paper.font = '600 96px "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif'
  paper.fillText(name, canvas.width / 2, MARGIN + SIDE + 150, SIDE)
  paper.fillStyle = '#606878'
  paper.font = '56px "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif'
  paper.fillText(line, canvas.width / 2, MARGIN + SIDE + 260, SIDE)
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error('no picture'))), 'image/png'))
}

function load(address: string): Promise<HTMLImageElement> {
  return new Promise((done, failed) => {
    const picture = new Image()
    picture.onload = () => done(picture)
    picture.onerror = () => failed(new Error('no picture'))
    picture.src = address
  })
}

export function save(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

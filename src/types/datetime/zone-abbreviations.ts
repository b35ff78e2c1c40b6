/** Time zone abbreviations that datetime input knows: PostgreSQL's Default set. Facts of the world, not code:
 * seconds east of UTC, or the IANA zone whose history gives the abbreviation its meaning. */

export interface ZoneAbbreviation {
  /** Seconds east of UTC; of a `zone` abbreviation, unused. */
  readonly offset: number;
  readonly daylight: boolean;
  /** IANA zone, where the offset depends on the date. */
  readonly zone: string | null;
}

const STANDARD = `
eat 10800, sast 7200, wat 3600, act -18000, akst -32400, bot -14400, bra -10800, brt -10800,
cot -18000, cst -21600, egt -3600, est -18000, fnt -7200, gft -10800, mst -25200, nft -12600,
nst -12600, pet -18000, pmst -10800, pst -28800, uyt -10800, wgt -10800, ddut 36000, aft 16200,
almt 21600, amt -14400, bdt 21600, bnt 28800, bort 28800, btt 21600, cct 28800, hkt 28800,
ict 25200, irt 12600, ist 7200, jayt 32400, jst 32400, kst 32400, mmt 23400, myt 28800,
npt 20700, pht 28800, pkt 18000, tjt 18000, uzt 18000, xjt 21600, ast -14400, azot -3600,
acst 34200, acwst 31500, aest 36000, awst 28800, cast 34200, lhst 37800, ligt 36000, nzt 43200,
wast 25200, gmt 0, uct 0, ut 0, utc 0, z 0, zulu 0, cet 3600, eet 7200, fet 10800, met 3600,
mez 3600, wet 0, cxt 25200, mut 14400, mvt 18000, ret 14400, sct 14400, tft 18000, chast 45900,
chut 36000, fjt 43200, galt -21600, gamt -32400, gilt 43200, hst -36000, mart -34200,
mht 43200, mpt 36000, nzst 43200, pgt 36000, pont 39600, pwt 32400, taht -36000, tot 46800,
trut 36000, tvt 43200, vut 39600, wakt 43200, wft 43200, yapt 36000`;

const DAYLIGHT = `
akdt -28800, brst -7200, cdt -18000, clst -10800, edt -14400, egst 0, fnst -3600, mdt -21600,
ndt -9000, pdt -25200, pmdt -7200, pyst -10800, uyst -7200, wgst -7200, almst 25200, idt 10800,
kdt 36000, kgst 21600, pkst 21600, ulast 32400, uzst 21600, yekst 21600, adt -10800, azost 0,
acsst 37800, acdt 37800, aesst 39600, aedt 39600, awsst 32400, cadt 37800, sadt 37800,
wadt 28800, wdt 32400, bst 3600, bdst 7200, cest 7200, cetdst 7200, eest 10800, eetdst 10800,
mest 7200, mesz 7200, metdst 7200, msd 14400, wetdst 3600, must 18000, chadt 49500, fjst 46800,
nzdt 46800`;

const BY_ZONE = `
art America/Argentina/Buenos_Aires, arst America/Argentina/Buenos_Aires, clt America/Santiago,
gyt America/Guyana, pyt America/Asuncion, vet America/Caracas, davt Antarctica/Davis,
mawt Antarctica/Mawson, amst Asia/Yerevan, anast Asia/Anadyr, anat Asia/Anadyr, azst Asia/Baku,
azt Asia/Baku, gest Asia/Tbilisi, get Asia/Tbilisi, irkst Asia/Irkutsk, irkt Asia/Irkutsk,
kgt Asia/Bishkek, krast Asia/Krasnoyarsk, krat Asia/Krasnoyarsk, lkt Asia/Colombo,
magst Asia/Magadan, magt Asia/Magadan, novst Asia/Novosibirsk, novt Asia/Novosibirsk,
omsst Asia/Omsk, omst Asia/Omsk, petst Asia/Kamchatka, pett Asia/Kamchatka, sgt Asia/Singapore,
tmt Asia/Ashgabat, ulat Asia/Ulaanbaatar, vlast Asia/Vladivostok, vlat Asia/Vladivostok,
yakst Asia/Yakutsk, yakt Asia/Yakutsk, yekt Asia/Yekaterinburg, fkst Atlantic/Stanley,
fkt Atlantic/Stanley, lhdt Australia/Lord_Howe, msk Europe/Moscow, volt Europe/Volgograd,
iot Indian/Chagos, ckt Pacific/Rarotonga, easst Pacific/Easter, east Pacific/Easter,
kost Pacific/Kosrae, lint Pacific/Kiritimati, nut Pacific/Niue, tkt Pacific/Fakaofo`;

function* entriesOf(list: string): Generator<readonly [string, string]> {
  for (const item of list.split(',')) {
    const [name, value] = item.trim().split(' ');
    if (name !== undefined && value !== undefined) yield [name, value];
  }
}

function loadAbbreviations(): ReadonlyMap<string, ZoneAbbreviation> {
  const map = new Map<string, ZoneAbbreviation>();
  for (const [name, offset] of entriesOf(STANDARD)) {
    map.set(name, { offset: Number(offset), daylight: false, zone: null });
  }
  for (const [name, offset] of entriesOf(DAYLIGHT)) {
    map.set(name, { offset: Number(offset), daylight: true, zone: null });
  }
  for (const [name, zone] of entriesOf(BY_ZONE)) {
    map.set(name, { offset: 0, daylight: false, zone });
  }
  return map;
}

/** By lower-case name. */
export const ZONE_ABBREVIATIONS = loadAbbreviations();

"""The well-known properties: name | type | four character code | what it says.

Names, types and codes are GPAC's, so scripts and pipelines written for it keep their words. A type
followed by `packet` belongs to packets. A code of `-` marks a property of Reelway's own. Differences on
purpose: ChannelLayout is FFmpeg's name of a layout rather than a bit mask.
"""

from __future__ import annotations

__all__ = ["TABLE"]

TABLE = """
ID | uint | PIDI | number of the stream
ItemID | uint | ITID | number of an image item in HEIF
ItemNumber | uint | ITIX | place of an image item in the file, from 1
TrackNumber | uint | PIDX | place of the track in the file, from 1
ServiceID | uint | PSID | number of the service (programme) that the stream belongs to
ServiceName | str | SNAM | name of the service
ServiceProvider | str | SPRO | who provides the service
ClockID | uint | CKID | ID of the stream that carries the clock
DependencyID | uint | DPID | ID of the stream that this one builds on
Language | str | LANG | ISO 639 code or RFC 5646 tag
PlaybackMode | uint | PBKM | 0 plays only, 1 seeks, 2 any speed forward, 3 backward too
StreamType | styp | PMST | kind of stream: Visual, Audio, Text, File ...
StreamSubtype | 4cc | PSST | handler type of the track
ISOMSubtype | 4cc | PIST | sample entry type of the track, such as avc1
OrigStreamType | styp | POST | kind of stream before encryption
CodecID | cdec | POTI | codec, in FFmpeg's name; raw when decoded
Codec | str | CODS | codec string for manifests (RFC 6381)
Unframed | bool | PFRM | packets do not hold whole frames in the usual form (Annex B, ADTS)
UnframedAU | bool | PFRF | packets hold whole frames, in an unusual form
Duration | lfrac | PDUR | duration in seconds
StartTime | lfrac | - | media time in seconds at which the source of the stream starts
NumFrames | uint | NFRM | how many frames the stream has
ConstantFrameSize | uint | CFRS | bytes of each frame where all are the same
ConstantDuration | uint | SCTD | ticks of each packet where all are the same
Timescale | uint | TIMS | ticks a second
TimeshiftDepth | frac | PTSD | seconds of the time-shift buffer
TimeshiftTime | dbl | PTST | place in the time-shift buffer in seconds
ProfileLevel | uint | PRPL | profile and level
DecoderConfig | mem | DCFG | what the decoder needs before the first packet (FFmpeg's extradata)
DecoderConfigEnhancement | mem | ECFG | the same for enhancement layers
DecoderConfigIndex | uint | ICFG | which decoder configuration of the track, from 1
DecoderConfigMode | str | - | where the decoder configuration travels: in-band or out-of-band
SampleRate | uint | AUSR | samples a second
SamplesPerFrame | uint | FRMS | samples in a coded frame
NumChannels | uint | CHNB | audio channels
BPS | uint | ABPS | bits a sample in the coded source
ChannelLayout | str | CHLO | loudspeaker layout, in FFmpeg's name: mono, stereo, 5.1
AudioFormat | afmt | AFMT | sample format: s16, fltp ...
AudioPlaybackSpeed | dbl | ASPD | speed at which sound is played
Delay | lsint | MDLY | ticks to hold the stream back, negative to skip at its start (edit list)
CTSShift | uint | MDTS | ticks to add to composition times that would be negative
SkipPriming | bool | ASKP | keep the encoder's priming samples when decoding
InitialPadding | uint | - | priming samples that the encoder put before the first real one
TrailingPadding | uint | - | padding samples after the last real one
Width | uint | WIDT | width in pixels
Height | uint | HEIG | height in pixels
PixelFormat | pfmt | PFMT | pixel format, in FFmpeg's name
PixelFormatWrapped | pfmt | PFMW | pixel format inside a texture
Stride | uint | VSTY | bytes a line of the first plane
StrideUV | uint | VSTC | bytes a line of the chroma planes
BitDepthLuma | uint | YBPS | bits a luma sample
BitDepthChroma | uint | CBPS | bits a chroma sample
FPS | frac | VFPF | frames a second
Interlaced | bool | VILC | frames hold two fields
SAR | frac | PSAR | width of a pixel over its height
MaxWidth | uint | MWID | greatest width of all layers
MaxHeight | uint | MHEI | greatest height of all layers
ZOrder | sint | VZIX | place in a composition, lowest behind
TransX | sint | VTRX | pixels to the right in a composition
TransY | sint | VTRY | pixels upwards in a composition
Hidden | bool | HIDE | not to be shown or heard
CropOrigin | v2di | VCXY | place of the picture in its source
OriginalSize | v2di | VOWH | size of the picture's source
SRD | v4di | SRD | place and size in a tiled picture
SRDRef | v2di | SRDR | size of the tiled picture
Alpha | bool | VALP | the picture is an alpha map
Mirror | uint | VMIR | 0 not mirrored, 1 along Y, 2 along X
Rotate | uint | VROT | quarter turns, anticlockwise
ClapW | frac | CLPW | width of the clean aperture
ClapH | frac | CLPH | height of the clean aperture
ClapX | frac | CLPX | horizontal offset of the clean aperture's centre
ClapY | frac | CLPY | vertical offset of the clean aperture's centre
ColorPrimaries | cprm | CPRM | colour primaries (ISO/IEC 23091-2)
ColorTransfer | ctfc | CTRC | transfer characteristics (ISO/IEC 23091-2)
ColorMatrix | cmxc | CMXC | matrix coefficients (ISO/IEC 23091-2)
FullRange | bool | CFRA | samples use the full range
ChromaLoc | uint | CLOC | where chroma samples lie (ISO/IEC 23091-2)
ContentLightLevel | mem | CLLI | content light level (ISO/IEC 14496-12 clli)
MasterDisplayColour | mem | MDCV | mastering display (ISO/IEC 14496-12 mdcv)
ICC | mem | ICCP | ICC profile
Bitrate | uint | RATE | bits a second
Maxrate | uint | MRAT | greatest bits a second
TargetRate | uint | TBRT | bits a second asked of the encoder
DBSize | uint | DBSZ | bytes of the decoder's buffer
MediaDataSize | luint | MDSZ | bytes of media data
MaxFrameSize | uint | MFRS | bytes of the greatest frame
URL | str | FURL | where the stream comes from
RemoteURL | str | RURL | where the stream is on the network
RedirectURL | str | RELO | where the source was moved to
SourcePath | str | FSRC | path of the source file
MIMEType | str | MIME | media type of the source
Extension | str | FEXT | file extension of the source
Cached | bool | CACH | the file is wholly in the cache
DownloadRate | uint | DLBW | bits a second received
DownloadSize | luint | DLSZ | bytes of the resource
DownBytes | luint | DLBD | bytes received
ByteRange | lfrac | FBRA | first and last byte of the resource, as a fraction
IsoBrand | 4cc | MBRD | major brand of the file
IsoAltBrands | 4ccl | ABRD | compatible brands of the file
MovieTime | lfrac | MHTS | duration in the movie header
HasSync | bool | PSYN | the stream has points to start from
HandlerName | str | IHDL | name of the track's handler
TrackFlags | uint | ITKF | flags of the track's header
TrackMatrix | sintl | ITKM | matrix of the track's header
IsDefault | bool | PDEF | what a player picks among streams of its kind
ForcedSub | uint | PFCS | 1 a forced subtitle, 2 all are forced
CharSet | str | PCHS | character set of a text
Role | strl | ROLE | what the stream is for: main, caption, commentary ...
Period | str | PEID | name of the DASH period
PStart | lfrac | PEST | start of the DASH period in seconds
PDur | lfrac | PEDU | duration of the DASH period in seconds
Representation | str | DRID | name of the DASH representation or HLS variant
ASID | uint | DAID | number of the DASH adaptation set
StartNumber | uint | DRSN | number of the first segment
Template | str | DTPL | template of segment names
HLSPL | str | HLVP | name of the HLS media playlist
HLSGroup | str | HLGI | HLS group of the stream
DashDur | frac | DDUR | duration of a segment in seconds
ChapTimes | uintl | CHPT | starts of chapters
ChapNames | strl | CHPN | names of chapters
CoverArt | mem | PCOV | cover picture
RawGrab | uint | PGRB | the stream comes straight from a device; 2 is a front camera
Live | bool | - | its source keeps to a pace of its own: who is late gets the newest of it
Slot | object | - | number or name that somebody gave the source, for whoever sees its packets
Sparse | bool | PSPA | there may be gaps between packets
RequireReorder | bool | PUDP | packets may be lost or out of order (UDP)
Encrypted | bool | EPCK | packets are encrypted
ProtectionScheme | 4cc | SCHT | encryption scheme
BufferLength | uint | PBPL | ms to buffer before playing
MaxBuffer | uint | PBMX | ms to buffer at most
ReBuffer | uint | PBRE | ms below which to buffer again
SenderNTP | luint packet | NTPS | NTP time at the sender
ReceiverNTP | luint packet | NTPR | NTP time at arrival
UTC | luint packet | UTCD | UTC in ms
MediaTime | dbl packet | MTIM | media time in seconds
FileNumber | uint packet | FNUM | number of the file that the packet begins
FileName | str packet | FNAM | name of the file that the packet begins
CueStart | bool packet | PCUS | the packet begins a segment
EODS | bool packet | EODS | a segment ends here
InitSeg | bool packet | PCKI | the packet is a whole initialization segment
SkipBegin | uint packet | PCKS | ticks to skip at the start of the packet
SkipPres | bool packet | PCKD | neither this packet nor a later one is to be shown
"""

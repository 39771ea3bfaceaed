"""The picture of the station: a front elevation that a person can touch.

Scene units are those of the design drawing: the ground lies at y 512, cars are 196 wide. `geometry`
and `placing` say where things stand, `views` and `content` turn a snapshot into words, the painters
(`scenery`, `bay`, `car`, `cable`, `cabinet`, `screen`, `header`, `sign`) paint, `picture` puts it
together in cached layers. `canvas` is the widget; `hotspots`, `spots` and `naming` make every act
reachable by keyboard and by name, `hand` follows a drag.
"""
